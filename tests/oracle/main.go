// Command oracle asks kube-scheduler's own plugins about made-up clusters.
//
// It reads one cluster a line on standard input and writes one answer a line on standard output, in the same order,
// until the input ends. `hydatis verify` starts it and holds the answers against those of HYDATIS.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/klog/v2"
)

// A line holds a whole cluster.
const longestLine = 64 << 20

func main() {
	// Plugins log what they make of odd objects; what counts here are their verdicts.
	klog.SetLogger(klog.Logger{})
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "oracle: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, input io.Reader, output io.Writer) error {
	lines, failed := read(input)
	judge := newJudge(ctx)
	writer := bufio.NewWriterSize(output, 1<<20)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for line := range lines {
		if err := encoder.Encode(judge.answer(line)); err != nil {
			return err
		}
		// Whoever asks one question waits for its answer.
		if len(lines) == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return <-failed
}

// read passes lines on as they come, well ahead of the answers, so that neither side of the pipe waits for the other.
func read(input io.Reader) (<-chan []byte, <-chan error) {
	lines := make(chan []byte, 1<<16)
	failed := make(chan error, 1)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(input)
		scanner.Buffer(make([]byte, 1<<20), longestLine)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
		failed <- scanner.Err()
	}()
	return lines, failed
}
