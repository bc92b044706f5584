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
#: what only a browser can do something with, or what would load something
_USELESS = frozenset(
    """
    applet audio base button canvas embed frame frameset iframe input link meta
    noscript object script select style svg template textarea title video
    """.split()
)
#: what is as wide as it says, whatever the room
_COLUMNS = frozenset("col colgroup table td th".split())
_FIXED_WIDTH = re.compile(r"(?:^|;)\s*width\s*:[^;%]*(?=;|$)", re.IGNORECASE)
_LOADING_ATTRIBUTES = ("background", "data", "poster", "srcset")

#: a block of fewer characters is a greeting: the block before it belongs to it
_GREETING = 80
#: a block of more characters is cut, so that it need not move to the next page whole
_LONG = 600
#: one of still more characters is cut even where it has no line breaks
_VERY_LONG = 2400
#: how many characters stay with the signature
_TAIL = 200


def prepare_body(html, find_image):
    """Give the text of a letter in two parts, as HTML without anything to load.

    The second part is what must stand on one page with the signature: the last
    paragraph, with the greeting where that is a paragraph of its own.

    :param html: the rendered text
    :param find_image: takes the address of an image, gives it as a ``data:`` URI, or
        ``None`` to leave the image out
    :return: tuple of two strings
    """
    root = _parse_clean(html, find_image)
    _wrap_inline_content(root)
    _drop_empty_ends(root)
    tail = _cut_end(root)
    return _inner_html(root), _inner_html(tail)


def clean_html(html, find_image):
    """Give HTML without anything to load; see :func:`prepare_body`."""
    root = _parse_clean(html, find_image)
    return html_lib.escape(root.text or "", quote=False) + _inner_html(root)


def _text(element):
    return " ".join(element.text_content().split())


def _inner_html(element):
    return "".join(lxml.html.tostring(child, encoding="unicode") for child in element)


# --- nothing to load ------------------------------------------------------------


def _parse_clean(html, find_image):
    root = lxml.html.fragment_fromstring(str(html or ""), create_parent="div")
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag in _USELESS:
            if element is not root:
                _drop(element)
            continue
        for name in _LOADING_ATTRIBUTES:
            element.attrib.pop(name, None)
        if "url(" in element.get("style", "").lower():
            del element.attrib["style"]
        if element.tag in _COLUMNS:
            _free_width(element)
        if element.tag == "img":
            _embed_image(element, find_image)
    return root


def _free_width(element):
    """Leave the width of a column to what is in it, unless it is a share."""
    if not element.get("width", "%").strip().endswith("%"):
        del element.attrib["width"]
    if "style" in element.attrib:
        element.set("style", _FIXED_WIDTH.sub("", element.get("style")).lstrip("; "))


def _embed_image(element, find_image):
    source = element.get("src", "").strip()
    if not source.startswith("data:image/"):
        source = find_image(source)
    if source:
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
    """Take empty lines off the end; the signature keeps its distance by itself."""
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
