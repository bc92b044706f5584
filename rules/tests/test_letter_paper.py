import pytest

from rules.letter_paper import (
    MARGIN_BOTTOM,
    MARGIN_TOP,
    PAPERS,
    WINDOWS,
    Layout,
    count_lines,
    fit_sender,
    fitting_size,
    paper_of_country,
    window_side,
)

LAYOUTS = [Layout(paper, side) for paper in PAPERS for side in WINDOWS]


def _overlap(first, second):
    return (
        first.left < second.left + second.width
        and second.left < first.left + first.width
        and first.top < second.top + second.height
        and second.top < first.top + first.height
    )


@pytest.mark.parametrize(
    "country, side",
    [("FR", "right"), ("IT", "right"), ("CH", "right"), ("DE", "left"), ("US", "left")],
)
def test_window_is_where_the_country_has_it(country, side):
    assert window_side(country) == side


@pytest.mark.parametrize("country", ["", False, None, "XX"])
def test_unknown_country_has_the_window_on_the_left_and_a4(country):
    assert window_side(country) == "left"
    assert paper_of_country(country) == "A4"


@pytest.mark.parametrize(
    "country, paper",
    [("US", "Letter"), ("CA", "Letter"), ("MX", "Letter"), ("GB", "A4")],
)
def test_paper_is_that_of_the_country(country, paper):
    assert paper_of_country(country) == paper


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sender_and_address_fill_the_window(layout):
    window = WINDOWS[layout.side]
    assert layout.sender.top == window.top
    assert layout.sender.height + layout.address.height == window.height
    for box in (layout.sender, layout.address):
        assert window.left <= box.left <= window.left + 3
        assert box.left + box.width <= window.left + window.width


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts_of_the_first_page_do_not_overlap_and_stay_on_the_paper(layout):
    stamps = layout.stamps
    parts = [
        stamps["letterhead"],
        WINDOWS[layout.side],
        layout.reference,
        layout.text,
        stamps["number"],
        stamps["footer"],
    ]
    for number, part in enumerate(parts):
        assert part.left + part.width <= layout.width
        assert part.top + part.height <= layout.height
        for other in parts[number + 1 :]:
            assert not _overlap(part, other), (part, other)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_text_of_further_pages_keeps_clear_of_what_they_have_in_common(layout):
    stamps = layout.stamps
    continuation = stamps["continuation"]
    assert continuation.top + continuation.height <= MARGIN_TOP
    assert stamps["number"].top >= layout.height - MARGIN_BOTTOM
    printed_height = layout.height - MARGIN_TOP - MARGIN_BOTTOM
    assert all(stamp.height <= printed_height for stamp in stamps.values())


def test_short_lines_are_lines():
    assert count_lines("", 10, 80) == 1
    assert count_lines("Martin & Fils", 10, 80) == 1


def test_words_wrap_and_long_words_break():
    assert count_lines("word " * 40, 10, 80) > 2
    assert count_lines("w" * 200, 10, 80) > 4
    assert count_lines("日本" * 30, 10, 80) > count_lines("il" * 30, 10, 80)


def test_short_address_is_printed_in_the_largest_size():
    lines = ["Martin & Fils", "127 avenue Foch", "75016 Paris"]
    assert fitting_size(lines, 80, 40, largest=10.5, smallest=5) == 10.5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_eight_lines_of_sixty_characters_fit_the_window(layout):
    box = layout.address
    line = "Straße der vereinigten Handwerkerinnen und Handwerker 123456"
    size = fitting_size([line] * 8, box.width, box.height, largest=10.5, smallest=5)
    lines = 8 * count_lines(line, size, box.width)
    assert 5 < size < 10.5
    assert lines * size * 1.25 * 25.4 / 72 <= box.height


def test_what_never_fits_is_printed_in_the_smallest_size():
    assert fitting_size(["word " * 900], 80, 35, largest=10.5, smallest=5) == 5


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["Short", "A long name " * 20, "W" * 300, ""])
def test_return_address_keeps_its_street(layout, name):
    line, size = fit_sender(name, ["14 Long Street", "69003 Lyon"], layout.sender)
    assert line.endswith("14 Long Street · 69003 Lyon")
    assert line[:1] == name[:1] or not name
    assert 4 <= size <= 6
    assert count_lines(line, size, layout.sender.width) == 1


@pytest.mark.parametrize("paper", PAPERS)
def test_both_folds_divide_the_paper_in_three(paper):
    layout = Layout(paper, "left")
    first, second = layout.folds
    assert second == 2 * first
    assert abs(layout.height - second - first) <= 20
