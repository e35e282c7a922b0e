from hydatis.sandbox.operator_process import parse_metrics


def test_samples_are_found_by_name_and_sorted_labels() -> None:
    text = (
        "# HELP attempts All.\n# TYPE attempts counter\n"
        'attempts_total{result="scheduled",profile="a"} 3.0\nattempts_total{result="error",profile="a"} 0.0\n'
        "# TYPE pending gauge\npending 7\n"
        '# TYPE d histogram\nd_bucket{le="0.1"} 1\nd_bucket{le="+Inf"} 2\nd_sum 0.4\nd_count 2\n'
    )
    samples = parse_metrics(text)
    assert samples['attempts_total{profile="a",result="scheduled"}'] == 3
    assert samples["pending"] == 7
    assert samples['d_bucket{le="+Inf"}'] == 2
    assert samples["d_sum"] == 0.4
    assert len(samples) == 7
