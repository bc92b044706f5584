import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.letter_body import clean_html, clean_style, prepare_body

LINE = "We should be glad to hear from you. "


def _prepare(html):
    return prepare_body(html, lambda source: None)


def _words(*parts):
    root = lxml.html.fragment_fromstring("".join(parts), create_parent="div")
    return " ".join(root.itertext()).split()


@pytest.mark.parametrize(
    "html, body, tail",
    [
        ("", "", ""),
        (None, "", ""),
        ("Hello", "", "<div>Hello</div>"),
        (
            f"<p>Dear Sir,</p><p>{LINE * 3}</p><p>Yours</p>",
            "<p>Dear Sir,</p>",
            f"<p>{LINE * 3}</p><p>Yours</p>",
        ),
        (
            f"<div><p>Dear Sir,</p><p>{LINE * 3}</p></div>",
            "<div><p>Dear Sir,</p></div>",
            f"<div><p>{LINE * 3}</p></div>",
        ),
        (
            f"Dear Sir,<p>{LINE * 3}</p>",
            "<div>Dear Sir,</div>",
            f"<p>{LINE * 3}</p>",
        ),
    ],
)
def test_last_paragraph_and_greeting_stay_with_the_signature(html, body, tail):
    assert _prepare(html) == (body, tail)


@pytest.mark.parametrize("end", ["<p><br></p>", "<p> </p><br><br>", "<div></div>"])
def test_empty_lines_at_the_end_are_left_out(end):
    assert _prepare(f"<p>{LINE * 3}</p>{end}") == ("", f"<p>{LINE * 3}</p>")


def test_text_of_line_breaks_is_cut_at_one():
    body, tail = _prepare("<p>" + "<br>".join([LINE * 2] * 30) + "</p>")
    assert body.count("glad") > 40
    assert 2 <= tail.count("glad") <= 12
    assert "margin-bottom: 0" in body


def test_paragraph_without_end_is_cut_after_a_sentence():
    body, tail = _prepare(f"<p>{LINE * 200}</p>")
    assert body.endswith("you.</p>")
    assert tail.startswith("<p>We ")


def test_long_paragraph_stays_whole_where_it_fits_a_page():
    assert _prepare(f"<p>{LINE * 30}</p>")[0] == ""


def test_numbers_of_a_list_go_on_after_the_cut():
    body, tail = _prepare("<ol>" + f"<li>{LINE}</li>" * 40 + "</ol>")
    items = body.count("<li>")
    assert items + tail.count("<li>") == 40
    assert f'start="{items + 1}"' in tail


def test_columns_are_alike_before_and_after_the_cut():
    parts = _prepare("<table>" + f"<tr><td>{LINE}</td></tr>" * 40 + "</table>")
    for part in parts:
        assert "table-layout: fixed" in part


def test_columns_have_no_fixed_width():
    html = clean_html(
        '<table width="900"><tr><td style="color: red; width: 600px">a</td>'
        '<td width="20%" style="width: 20%; max-width: 3px">b</td></tr></table>',
        None,
    )
    assert "900" not in html and "600px" not in html
    assert "color: red" in html
    assert 'width="20%"' in html and "width: 20%" in html


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="https://example.com/a.css">',
        '<script src="https://example.com/a.js">alert(1)</script>',
        "<style>@import url(https://example.com/a.css);</style>",
        '<iframe src="https://example.com"></iframe>',
        '<img src="https://example.com/a.png">',
        '<img src="//example.com/a.png" srcset="https://example.com/b.png 2x">',
        '<table background="https://example.com/a.png"><tr><td>x</td></tr></table>',
        '<p style="background: URL(https://example.com/a.png)">x</p>',
        "<!-- https://example.com -->",
        '<image src="https://example.com/a.png">',
        '<svg><image href="https://example.com/a.png"/><use href="https://example.com/b"/></svg>',
        '<svg:image xlink:href="https://example.com/a.png"></svg:image>',
        '<object data="https://example.com/a.svg"><img src="https://example.com/b"></object>',
        '<embed src="https://example.com/a.svg">',
        '<picture><source srcset="https://example.com/a.png"></picture>',
        '<video poster="https://example.com/a.png"><track src="https://example.com/b"></video>',
        '<audio src="https://example.com/a.mp3"></audio>',
        '<input type="image" src="https://example.com/a.png">',
        '<body background="https://example.com/a.png">x</body>',
        '<td background="https://example.com/a.png">x</td>',
        '<p style="list-style-image: url(https://example.com/a.png)">x</p>',
        '<p style="color: red; background-image: \\75rl(https://example.com/a.png)">x</p>',
        "<p style=\"background: image-set('https://example.com/a.png' 1x)\">x</p>",
        '<p style="content: url(&quot;https://example.com/a&quot;)">x</p>',
        '<p style="background:/**/url(https://example.com/a.png)">x</p>',
        '<style>p { background: url("https://example.com/a.png") }</style>',
        '<base href="https://example.com/">',
        '<meta http-equiv="refresh" content="0; url=https://example.com">',
        '<p src="https://example.com/a">x</p>',
        '<x-y data="https://example.com/a" onclick="https://example.com/b">x</x-y>',
        '<frameset><frame src="https://example.com"></frameset>',
        '<applet code="https://example.com/a"></applet>',
        '<img src="data:image/svg+xml;base64,PHN2Zz5leGFtcGxlLmNvbTwvc3ZnPg==">x',
        '<math href="https://example.com"><mi>x</mi></math>',
        '<template><img src="https://example.com/a.png"></template>',
        '<noscript><img src="https://example.com/a.png"></noscript>',
        "<a href=\"javascript:fetch('https://example.com')\">x</a>",
        '<a href="file:///example.com">x</a>',
    ],
)
def test_nothing_is_loaded(html):
    clean = clean_html(f"<p>A</p>{html}<p>B</p>", lambda s: None)
    for trace in ("example.com", "svg", "url"):
        assert trace not in clean.lower()
    assert "A</p>" in clean and "B</p>" in clean


@pytest.mark.parametrize(
    "style",
    [
        "position: absolute; top: -300px",
        "margin-top: -600px",
        "margin: 0 0 -1.5em",
        "margin: 2mm - 3mm",
        "transform: translateY(-300px)",
        "-webkit-transform: translateY(-300px)",
        "float: left",
        "height: 0",
        "text-indent: -9999px",
        "letter-spacing: -20px",
        "vertical-align: -600px",
        "box-shadow: 0 -600px red",
        "text-shadow: 0 -600px red",
        "margin-top: calc(0px - 600px)",
        "display: none",
        "z-index: 9",
        "opacity: 0",
        "behavior: none",
        "color: expression(1)",
    ],
)
def test_nothing_moves_or_hides(style):
    assert clean_style(style) == ""
    assert clean_style(f"color: red; {style} !important") == "color: red"


@pytest.mark.parametrize(
    "style",
    [
        "color: rgb(1, 2, 3)",
        "background-color: #eee",
        "font-family: 'Liberation Sans', Arial",
        "margin: 0 auto 1.5em",
        "padding-left: 3mm; text-align: right",
        "border-bottom: 1px solid rgba(0, 0, 0, 0.5)",
        "line-height: 1.5",
        "width: 20%",
    ],
)
def test_how_text_looks_is_kept(style):
    assert clean_style(style) == style


def test_unknown_elements_leave_their_text():
    assert clean_html("a<x-y>b<i>c</i></x-y>d", None) == "ab<i>c</i>d"


def test_links_of_documents_are_kept():
    for link in ("https://a.example/b", "mailto:a@b.example", "tel:+331"):
        assert f'href="{link}"' in clean_html(f'<a href="{link}">x</a>', None)


def test_text_beside_what_is_left_out_stays():
    html = clean_html("a &lt;b&gt;<script>x</script> c<!-- d --> e", None)
    assert html.replace("  ", " ") == "a &lt;b&gt; c e"


def test_images_are_embedded_or_left_out():
    found = {
        "/web/image/7": "data:image/png;base64,AAAA",
        "/web/image/9": "data:image/svg+xml;base64,CCCC",
    }
    html = clean_html(
        '<img src="/web/image/7"><img src="/web/image/8"><img src="/web/image/9">'
        '<img src="data:image/png;base64,BBBB">',
        found.get,
    )
    assert html.count("<img") == 2
    assert "AAAA" in html and "BBBB" in html


texts = st.text("ab .\n", max_size=60).map(lambda text: text * 20)
blocks = st.recursive(
    texts,
    lambda inner: st.builds(
        "<{0}>{1}</{0}>".format,
        st.sampled_from(["p", "div", "b", "blockquote"]),
        st.lists(inner, max_size=4).map("<br>".join),
    ),
)


@given(st.lists(blocks, max_size=6).map("".join))
def test_no_word_is_lost_or_moved(html):
    assert "".join(_words(*_prepare(html))) == "".join(_words(html))


@given(st.lists(blocks, min_size=1, max_size=6).map("".join))
def test_whatever_says_something_leaves_something_for_the_signature(html):
    if _words(html):
        assert _words(_prepare(html)[1])
