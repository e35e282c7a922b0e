import io

from rich.console import Console

from hydatis.sandbox.demo.live_view import LiveView, Progress
from hydatis.sandbox.demo.node_fill import NodeFill, bar

NODE = {"metadata": {"name": "n-1"}, "status": {"allocatable": {"cpu": "4", "pods": "10", "nvidia.com/gpu": "2"}}}


def bound(cpu: str, gpus: str = "0") -> dict[str, object]:
    requests = {"cpu": cpu, "nvidia.com/gpu": gpus}
    return {"spec": {"nodeName": "n-1", "containers": [{"resources": {"requests": requests}}]}}


def test_fill_counts_what_bound_pods_request() -> None:
    fill = NodeFill([NODE])
    fill.add(bound("500m", "1"))
    fill.add(bound("1500m"))
    assert fill.share("n-1", "cpu") == 0.5
    assert fill.share("n-1", "ephemeral-storage") is None
    assert fill.pods("n-1") == 2
    assert fill.gpus("n-1") == "1/2 GPU"


def test_bars_are_always_of_the_same_width() -> None:
    assert [bar(share, 4) for share in (None, 0.0, 0.5, 1.0, 1.7)] == ["    ", "░░░░", "██░░", "████", "████"]


def test_without_a_terminal_a_plain_line_comes_once_a_second_and_tells_the_rate() -> None:
    output = io.StringIO()
    view = LiveView(Console(file=output, width=120, force_terminal=False), NodeFill([NODE]))
    with view:
        for step in range(9):
            view.show(Progress(step * 0.25, 100, step * 10, {"active": 3, "gated": 1}))
    lines = output.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1] == "  1.0 s  pods 100  bound 40 (40/s)  queues: active 3  backoff 0  unschedulable 0  gated 1"
    assert "\x1b" not in output.getvalue()


def test_on_a_terminal_the_screen_shows_every_node_that_fits() -> None:
    output = io.StringIO()
    nodes = [{"metadata": {"name": f"n-{i}"}, "status": {"allocatable": {"cpu": "4"}}} for i in range(40)]
    console = Console(file=output, width=60, height=15, force_terminal=True, color_system=None)
    with LiveView(console, NodeFill(nodes)) as view:
        view.show(Progress(1.0, 5, 2, {}))
    assert "n-0 " in output.getvalue()
    assert "n-19 " in output.getvalue()
    assert "n-20 " not in output.getvalue()
