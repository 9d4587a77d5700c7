"""A pull request as a page for people: its comments as a browser shows them."""

from html import escape
from typing import Final

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

from emulator.githost.forge import Comment, Forge, Pull, Status

STYLE: Final = """
body{font:14px/1.5 -apple-system,"Segoe UI",Helvetica,Arial,sans-serif;color:#1f2328;background:#fff;margin:0}
main{max-width:960px;margin:24px auto;padding:0 16px}h1{font-weight:400;font-size:26px;margin:0 0 8px}
h1 span{color:#59636e}.state{color:#fff;border-radius:2em;padding:4px 12px;font-weight:500;margin-right:8px}
.open{background:#1f883d}.merged{background:#8250df}.closed{background:#cf222e}.draft{background:#59636e}
.meta{color:#59636e;border-bottom:1px solid #d1d9e0;padding-bottom:16px;margin-bottom:16px}
code{background:#818b981f;border-radius:6px;padding:.2em .4em;font:85%/1.45 ui-monospace,Consolas,monospace}
pre{background:#f6f8fa;border-radius:6px;padding:16px;overflow:auto}pre code{background:none;padding:0}
.box{border:1px solid #d1d9e0;border-radius:6px;margin:16px 0}.box>header{background:#f6f8fa;color:#59636e;
padding:8px 16px;border-bottom:1px solid #d1d9e0;border-radius:6px 6px 0 0}.box>div{padding:8px 16px}
.bot{border:1px solid #d1d9e0;border-radius:2em;padding:0 7px;font-size:12px}b{color:#1f2328}
table{border-collapse:collapse;display:block;overflow:auto;margin:0 0 16px}th,td{border:1px solid #d1d9e0;
padding:6px 13px}tr:nth-child(2n){background:#f6f8fa}blockquote{border-left:.25em solid #d1d9e0;color:#59636e;
margin:0 0 16px;padding:0 1em}h3{font-size:1.25em;margin:16px 0}summary{cursor:pointer}sub{color:#59636e}
.dot{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}.success{background:#1f883d}
.pending{background:#bf8700}.failure,.error{background:#cf222e}.add{color:#116329;background:#dafbe1}
.del{color:#82071e;background:#ffebe9}td code{white-space:nowrap}details{margin-bottom:8px}
"""

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"  # comments are shown, and run nothing


def render(forge: Forge, pull: Pull) -> str:
    """Return the page of a pull request."""
    state = "draft" if pull.draft and pull.state == "open" else pull.state
    author = escape(pull.author.login if pull.author else "ghost")
    title = escape(pull.title)
    verb = "wants" if pull.state == "open" else "wanted"
    end = f" · merged as <code>{pull.merged_as[:7]}</code>" if pull.merged_as else ""
    side = f"<code>{escape(pull.base)}</code> from <code>{escape(pull.branch)}</code>"
    comments = "".join(_comment(c) for c in forge.comments_of(pull.number))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title} · #{pull.number}</title>"
        f"<style>{STYLE}</style><main><h1>{title} <span>#{pull.number}</span></h1>"
        f'<p class="meta"><span class="state {state}">{state.title()}</span><b>{author}</b> {verb}'
        f" to merge <code>{pull.head[:7]}</code> into {side}{end} {_labels(pull)}</p>"
        f"{comments}{_statuses(forge, pull)}</main></html>"
    )


def _labels(pull: Pull) -> str:
    return " ".join(f'<span class="bot">{escape(x)}</span>' for x in pull.labels)


def _comment(comment: Comment) -> str:
    author = comment.author.login if comment.author else "ghost"
    bot = ' <span class="bot">bot</span>' if comment.author and comment.author.bot else ""
    edited = " · edited" if comment.updated != comment.created else ""
    head = f"<b>{escape(author)}</b>{bot} commented at {comment.created:%H:%M:%S}{edited}"
    if comment.hidden:
        return (
            f'<div class="box"><div><details><summary>{head} · marked as outdated</summary>'
            f"{markdown(comment.body)}</details></div></div>"
        )
    seen = " ".join(escape(content) for _, content in comment.reactions)
    body = f"{markdown(comment.body)}{seen}"
    return f'<div class="box" id="{comment.id}"><header>{head}</header><div>{body}</div></div>'


def _statuses(forge: Forge, pull: Pull) -> str:
    newest: dict[str, Status] = {s.context: s for s in forge.statuses if s.commit == pull.head}
    rows = "".join(
        f'<div><span class="dot {escape(s.state)}"></span><b>{escape(s.context)}</b> '
        f"{escape(s.description)}</div>"
        for s in newest.values()
    )
    return f'<div class="box"><header>Checks</header>{rows}</div>' if rows else ""


def markdown(text: str) -> str:
    """Return GitHub's markdown as HTML, with lines of a diff in their colours."""
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    found, inside = [], False
    for line in html.split("\n"):
        opens = '<pre lang="diff"><code>' in line
        inside = (inside or opens) and "</code></pre>" not in line
        found.append(_coloured(line, opens=opens) if inside else line)
    return "\n".join(found)


def _coloured(line: str, *, opens: bool) -> str:
    start, mark, rest = line.rpartition("<code>") if opens else ("", "", line)
    kind = {"+": "add", "-": "del"}.get(rest[:1])
    return f'{start}{mark}<span class="{kind}">{rest}</span>' if kind else line
