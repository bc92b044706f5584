"""The text of a letter as HTML: what goes to print, and where it may be cut."""

import html as html_lib
import re

import lxml.html

#: what holds blocks, and may be cut between two of them
_CONTAINERS = frozenset(
    "article blockquote body div main ol section table tbody ul".split()
)
_BLOCKS = _CONTAINERS | frozenset(
    "address dd dl dt figure h1 h2 h3 h4 h5 h6 hr li p pre tfoot thead tr".split()
)
#: Dropped with everything in them. An unknown element is dropped too, but its text
#: stays: elements and attributes that are not named here never reach the paper, for
#: nobody can list all that may load something.
_USELESS = frozenset(
    """
    applet audio button canvas dialog frameset head iframe map math noembed noframes
    noscript object option picture script select style svg template textarea title
    video xml
    """.split()
)
_INLINE = frozenset(
    """
    a abbr acronym b bdi bdo big br caption center cite code col colgroup del dfn em
    figcaption font i img ins kbd mark nobr q s samp small span strike strong sub sup
    td th time tt u var wbr
    """.split()
)
_SECTIONS = frozenset(
    "aside details footer form header hgroup nav summary dir menu".split()
)
_ELEMENTS = _BLOCKS | _INLINE | _SECTIONS
_ATTRIBUTES = frozenset(
    """
    align alt bgcolor border cellpadding cellspacing color colspan dir face height href
    lang nowrap reversed rowspan size span src start style type valign value width
    """.split()
)
#: those that neither move nor hide what they belong to
_PROPERTIES = re.compile(
    r"""
    (-webkit-)? (
        background(-color)? | border(-.*)? | caption-side | color | direction
        | empty-cells | font(-.*)? | letter-spacing | line-height
        | list-style(-type|-position)? | margin(-.*)? | padding(-.*)?
        | page-break-(after|before|inside) | table-layout | text-align
        | text-decoration(-.*)? | text-transform | unicode-bidi | vertical-align
        | white-space | width | word-(break|spacing|wrap)
    )
    """,
    re.VERBOSE,
)
#: whatever is written in other words than these could load or move something
_HARMLESS_VALUE = re.compile(
    r"""( [\w\s#%.,'"-] | rgba?\([\d\s%.,]*\) )*""", re.VERBOSE
)
_IMPORTANT = re.compile(r"\s*!\s*important", re.IGNORECASE)
_SHIFT = re.compile(r"(^|[\s(])-\s*[\d.]")
#: whatever else an address begins with may be a program or a file
_LINK = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|bmp|webp);base64,[\w+/=\s]*", re.I)
#: elements that are as wide as they say, whatever the room
_COLUMNS = frozenset("col colgroup table td th".split())

#: a block of fewer characters is a greeting: the block before it belongs to it
_GREETING = 80
#: a block of more characters is cut, so that it need not move to the next page whole
_LONG = 600
#: one of still more characters is cut even where it has no line breaks
_VERY_LONG = 2400
#: how many characters stay with the signature
_TAIL = 200


def prepare_body(html, find_image):
    """Return the text of a letter in two parts, as HTML without anything to load.

    The second part is what must stand on one page with the signature: the last
    paragraph, with the greeting where that is a paragraph of its own.

    :param html: the rendered text
    :param find_image: takes the address of an image, returns it as a ``data:`` URI, or
        ``None`` to leave the image out
    :return: tuple of two strings
    """
    root = _parse_clean(html, find_image)
    _wrap_inline_content(root)
    _drop_empty_ends(root)
    tail = _cut_end(root)
    return _inner_html(root), _inner_html(tail)


def clean_html(html, find_image):
    """Return HTML without anything to load; see :func:`prepare_body`."""
    root = _parse_clean(html, find_image)
    return html_lib.escape(root.text or "", quote=False) + _inner_html(root)


def _text(element):
    return " ".join(element.text_content().split())


def _inner_html(element):
    return "".join(lxml.html.tostring(child, encoding="unicode") for child in element)


# --- nothing to load ------------------------------------------------------------


def _parse_clean(html, find_image):
    """Parse HTML, keeping only what is known to load, move and hide nothing."""
    root = lxml.html.fragment_fromstring(str(html or ""), create_parent="div")
    for element in list(root.iterdescendants()):
        if not isinstance(element.tag, str) or element.tag in _USELESS:
            _drop(element)
        elif element.tag not in _ELEMENTS:
            element.drop_tag()
        else:
            _clean_attributes(element)
            if element.tag == "img":
                _embed_image(element, find_image)
    return root


def _clean_attributes(element):
    for name in set(element.attrib) - _ATTRIBUTES:
        del element.attrib[name]
    if not _LINK.match(element.get("href", "http:").strip()):
        del element.attrib["href"]
    if element.tag != "img":
        element.attrib.pop("src", None)
    if element.tag in _COLUMNS and not element.get("width", "%").strip().endswith("%"):
        # else the page would be as wide as the column says
        del element.attrib["width"]
    if "style" in element.attrib:
        style = clean_style(element.get("style"), element.tag in _COLUMNS)
        element.set("style", style)
        if not style:
            del element.attrib["style"]


def clean_style(style, is_column=False):
    """Return the declarations of a ``style`` that load, move and hide nothing.

    :param is_column: widths must be shares then
    """
    return "; ".join(
        f"{name}: {value}"
        for name, _colon, value in (
            map(str.strip, declaration.partition(":"))
            for declaration in _IMPORTANT.sub("", style).split(";")
        )
        if _is_harmless(name.lower(), value)
        and not (is_column and name.lower() == "width" and "%" not in value)
    )


def _is_harmless(name, value):
    """Tell whether a declaration loads, moves and hides nothing."""
    return bool(
        value
        and _PROPERTIES.fullmatch(name)
        and _HARMLESS_VALUE.fullmatch(value)
        and not _SHIFT.search(value)
    )


def _embed_image(element, find_image):
    source = element.get("src", "").strip()
    if not _PICTURE.fullmatch(source):
        source = find_image(source) or ""
    if _PICTURE.fullmatch(source):
        element.set("src", source)
    else:
        _drop(element)


def _drop(element):
    """Take out an element, and leave the text after it."""
    if element.getparent() is not None:
        element.drop_tree()


# --- blocks ---------------------------------------------------------------------


def _holds_blocks(element):
    return element.tag in _CONTAINERS and any(child.tag in _BLOCKS for child in element)


def _wrap_inline_content(container):
    """Put text that stands beside blocks into blocks, all the way down."""
    if container.tag not in ("ol", "ul", "table", "tbody"):
        _wrap_runs(container)
    for child in container:
        if _holds_blocks(child):
            _wrap_inline_content(child)


def _wrap_runs(container):
    run = container.makeelement("div")
    run.text, container.text = container.text, None
    runs_and_blocks = [run]
    for child in list(container):
        container.remove(child)
        if child.tag in _BLOCKS:
            run = container.makeelement("div")
            run.text, child.tail = child.tail, None
            runs_and_blocks += [child, run]
        else:
            run.append(child)
    container.extend(part for part in runs_and_blocks if not _is_void(part))


def _is_void(block):
    """Tell whether a run holds nothing at all, not even a line break."""
    return not (block.attrib or len(block) or (block.text or "").strip())


def _is_empty(element):
    return not _text(element) and element.find(".//img") is None


def _drop_empty_ends(container):
    """Take empty lines off the end; the signature keeps its own distance."""
    while len(container) and container[-1].tag != "hr" and _is_empty(container[-1]):
        container.remove(container[-1])
    if len(container) and _holds_blocks(container[-1]):
        _drop_empty_ends(container[-1])


# --- cutting --------------------------------------------------------------------


def _cut_end(container):
    """Take the end out of a container: its last blocks, until they say something.

    :return: those blocks, in a copy of the container
    """
    end = container.makeelement(container.tag, dict(container.attrib))
    while len(container) and len(_text(end)) < _GREETING:
        end.insert(0, _cut_last(container))
    if container.tag == "ol":
        end.set("start", str(_get_start(container) + len(container)))
    if container.tag == "table":
        # columns of both parts must be as wide
        _add_style(end, "table-layout: fixed")
        _add_style(container, "table-layout: fixed")
    if container.tag != "div":
        _add_style(container, "margin-bottom: 0")
    return end


def _cut_last(container):
    """Take the last block out of a container, or the end of that block."""
    last = container[-1]
    if _holds_blocks(last) and (last.tag == "div" or len(_text(last)) > _LONG):
        end = _cut_end(last)
        if not len(last):
            container.remove(last)
        return end
    end = _cut_long(last)
    if end is None:
        container.remove(last)
        end = last
    return end


def _get_start(ordered_list):
    start = ordered_list.get("start", "")
    return int(start) if start.isdecimal() else 1


def _cut_long(block):
    """Cut the end off a long paragraph, at a line break, else after a sentence.

    :return: the end as a block of its own, or ``None`` to leave the paragraph whole
    """
    if block.tag not in ("div", "p") or len(_text(block)) <= _LONG:
        return None
    end = _cut_at_break(block)
    if end is None and len(_text(block)) > _VERY_LONG:
        end = _cut_at_sentence(block)
    if end is not None:
        _add_style(block, "margin-bottom: 0")
    return end


def _add_style(element, declaration):
    style = element.get("style", "").rstrip("; ")
    element.set("style", f"{style}; {declaration}".lstrip("; "))


def _cut_at_break(block):
    length = 0
    for child in reversed(list(block)):
        length += len((child.tail or "").strip())
        if child.tag == "br" and length >= _TAIL:
            end = block.makeelement(block.tag, dict(block.attrib))
            end.text, child.tail = child.tail, None
            end.extend(list(child.itersiblings()))
            block.remove(child)
            return end
        length += len(_text(child))
    return None


def _cut_at_sentence(block):
    last = block[-1] if len(block) else None
    text = (block.text if last is None else last.tail) or ""
    places = [place.end() for place in re.finditer(r"[.!?…]\s+", text[:-_TAIL])]
    if not places:
        return None
    end = block.makeelement(block.tag, dict(block.attrib))
    end.text = text[places[-1] :]
    rest = text[: places[-1]].rstrip()
    if last is None:
        block.text = rest
    else:
        last.tail = rest
    return end
