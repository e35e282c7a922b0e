"""Which rejections preemption cannot lift, of the plugins that look at the node object alone."""

import pytest

from hydatis.scheduler.plugins import FilterPlugin
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.testing import by_node, cluster_of, node, pod, requirements_of


@pytest.mark.parametrize("plugin", [NodeAffinity(), NodeName(), NodeUnschedulable(), TaintToleration()])
def test_what_the_node_itself_forbids_no_preemption_lifts(plugin: FilterPlugin) -> None:
    cluster = cluster_of(node("n").taint("gpu").unschedulable())
    wanted = requirements_of(cluster, pod().node_selector(disk="ssd").on("elsewhere"))
    rows = cluster.rows()
    assert by_node(cluster, plugin.filter(wanted, cluster, rows)) == {"n": False}
    assert by_node(cluster, plugin.unresolvable(wanted, cluster, rows)) == {"n": True}
