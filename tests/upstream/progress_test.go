package upstream

import (
	"encoding/json"
	"flag"
	"os"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

var progressFile = flag.String("progress-file", "", "Append a line of JSON to this file when a test starts and when it ends.")

// progress is what whoever started the tests reads while they run; Ginkgo's own reports come only at the end.
type progress struct {
	Test    string  `json:"test"`
	State   string  `json:"state"`
	Seconds float64 `json:"seconds"`
	// Message is the assertion that failed, or why the test was skipped.
	Message  string `json:"message,omitempty"`
	Location string `json:"location,omitempty"`
}

// tellProgress registers the reporters. It comes after the framework has read its flags: to check the tests it previews
// them, and Ginkgo's preview forgets reporters that were registered at the top level before.
func tellProgress() {
	ginkgo.ReportBeforeEach(func(report ginkgo.SpecReport) {
		// A test that is filtered out is reported, too, and never starts.
		if !filteredOut(report) {
			tell(progress{Test: report.FullText(), State: "started"})
		}
	})
	ginkgo.ReportAfterEach(func(report ginkgo.SpecReport) {
		if filteredOut(report) {
			return
		}
		told := progress{Test: report.FullText(), State: report.State.String(), Seconds: report.RunTime.Seconds()}
		if !report.Failure.IsZero() {
			told.Message = report.Failure.Message
			told.Location = report.Failure.Location.String()
		}
		tell(told)
	})
}

// filteredOut is false for a test that skips itself while it runs: that one says why.
func filteredOut(report ginkgo.SpecReport) bool {
	return report.State == types.SpecStatePending || report.State == types.SpecStateSkipped && report.Failure.Message == ""
}

func tell(told progress) {
	if *progressFile == "" {
		return
	}
	line, err := json.Marshal(told)
	if err != nil {
		panic(err)
	}
	file, err := os.OpenFile(*progressFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}
