"""Brings up everything the demo needs, plays it, and takes everything down again.

Called by the command. Whatever happens, no process and no file outlives `play`.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from hydatis.sandbox.api_session import ApiSession
from hydatis.sandbox.building import provide
from hydatis.sandbox.controlplane import FULL, ControlPlane
from hydatis.sandbox.demo.live_view import LiveView
from hydatis.sandbox.demo.node_fill import NodeFill
from hydatis.sandbox.demo.performing import Outcome, Performance
from hydatis.sandbox.demo.report import print_report, summary
from hydatis.sandbox.demo.scenario import Scenario
from hydatis.sandbox.go_module import Program
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.progress import shown

_PLAIN_WIDTH = 120


def play(scenario: Scenario) -> dict[str, Any]:
    """Play the scenario on a control plane of its own, print the report, and give the JSON document.

    Raises:
        SandboxError: a program could not be built or started, or Helm or kubectl failed.
        DemoError: the demo could not go on.
        ApiError: the API server refused an object.

    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    with tempfile.TemporaryDirectory(prefix="hydatis-demo-") as directory:
        with shown() as progress:
            provide([*(component.program for component in FULL), Program.KUBECTL, Program.HELM], progress)
            control_plane = ControlPlane.start(Path(directory) / "controlplane", FULL, progress=progress)
        with control_plane:
            console.print(f"control plane ready at {control_plane.url}", highlight=False)
            kubeconfig = install_chart(control_plane, models=True)
            console.print("chart installed by Helm, with the models that ship", highlight=False)
            with OperatorProcess.start(kubeconfig) as operator:
                console.print(f"operator ready after {operator.ready_seconds:.1f} s", highlight=False)
                outcome = asyncio.run(_perform(scenario, control_plane, operator, console))
                document = summary(scenario, outcome)
                print_report(document, outcome, control_plane, operator, console)
    return document


async def _perform(
    scenario: Scenario, control_plane: ControlPlane, operator: OperatorProcess, console: Console
) -> Outcome:
    fill = NodeFill(scenario.nodes)
    async with ApiSession(control_plane.url, control_plane.ca_file, control_plane.admin_token) as session:
        with LiveView(console, fill) as view:
            performance = Performance(
                scenario, control_plane=control_plane, operator=operator, session=session, view=view, fill=fill
            )
            return await performance.perform()
