from io import StringIO

from rich.console import Console

from hydatis.benchmarks.evaluating.reporting import SHOWN, print_placement


def test_names_and_numbers_are_whole_where_nobody_looks_at_a_terminal() -> None:
    outcome = {name: {"mean": 123.456, "low": 0.0, "high": 200.0} for name in SHOWN}
    less = {"mean": 46.0, "low": -161.0, "high": 152.0}
    document = {
        "scenario": "study",
        "part": "validation",
        "seeds": [1, 2],
        "outcomes": {"LoadVariationRiskBalancingByClass": outcome, "Ensemble": outcome},
        "against": {"LoadVariationRiskBalancingByClass": {"less_percent": less}},
        "best_heuristic": "TargetLoadPacking",
        "gap_closed": 60.0,
        "gap_closed_low": 50.0,
        "gap_closed_high": 70.0,
    }
    written = StringIO()
    print_placement(document, Console(file=written, width=120, color_system=None))
    text = written.getvalue()
    assert "…" not in text
    row = next(line for line in text.splitlines() if "LoadVariationRiskBalancingByClass" in line)
    assert row.count("123.46") == len(SHOWN)
    assert "46 (-161 to 152)" in row
    assert "Of the gap from TargetLoadPacking to the bound the ensemble closes 60 % (50 to 70)." in text
