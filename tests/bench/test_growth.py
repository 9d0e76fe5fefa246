"""What is made of measured costs: when one is said to grow, the table, the plot."""

import xml.etree.ElementTree

from tests.bench.growth_report import Series, row, svg


def series(costs):
    return Series("groups", "an offset committed", "groups", costs)


def test_growth_is_between_the_medians_of_the_smallest_and_the_largest_size():
    assert series({100: [9, 9, 9], 1: [1, 2, 9], 1000: [4, 6, 5]}).growth() == 2.5


def test_a_cost_measured_at_one_size_does_not_grow():
    assert series({1: [1.0, 2.0]}).growth() == 1
    assert not series({1: [1.0, 2.0]}).grows(0.5)


def test_a_cost_grows_only_where_the_ranges_do_not_touch():
    assert series({1: [1.0, 1.1], 10: [1.5, 1.6]}).grows(1.25)
    assert not series({1: [1.0, 1.6], 10: [1.5, 1.7]}).grows(1.1)
    assert not series({1: [1.0, 1.1], 10: [1.2, 1.2]}).grows(1.25)
    assert not series({1: [2.0], 10: [1.0]}).grows(1.25)


def test_a_row_has_each_size_in_order_with_its_range():
    line = row(series({10: [3.0, 1.0, 2.0], 1: [1.0]}))
    assert line == "| groups | an offset committed | 1: 1.00 (1.00-1.00) | 10: 2.00 (1.00-3.00) | 2.00x |"


def test_the_plot_has_a_point_for_each_size_and_dearer_is_higher():
    plot = xml.etree.ElementTree.fromstring(svg([series({1: [1.0], 10: [3.0], 100: [2.0]})]))
    points = [(float(circle.get("cx")), float(circle.get("cy")))
              for circle in plot.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(points) == 3
    (x1, y1), (x2, y2), (x3, y3) = points
    assert x2 - x1 == x3 - x2 > 0
    assert y2 < y3 < y1
