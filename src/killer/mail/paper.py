"""How a mail looks: the dossier of the site, for programs that know tables and inline styles."""

from __future__ import annotations

from html import escape

# The site's paper, ink and signal, as in web/static/site.css; mail programs know no variables.
TEXT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
NARROW = "font-family:'Avenir Next Condensed','Roboto Condensed','Arial Narrow',Arial,sans-serif"
MONO = "font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
NIGHT = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .paper { background: #0b0d0f !important; }
  .sheet { background: #15191c !important; border-color: #f1f3ee !important; }
  .ink, .ink a { color: #f1f3ee !important; }
  .soft, .soft a { color: #a9b1b0 !important; }
  .tab { background: #f1f3ee !important; color: #0b0d0f !important; }
  .signal { background: #ff5c39 !important; }
  .signal a { color: #140300 !important; background: #ff5c39 !important; }
  .line { border-color: #2e353a !important; }
  .brand { color: #ff5c39 !important; }
}
@media (max-width: 30em) { .hello { font-size: 28px !important; } }
"""

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
<style>{night}</style>
</head>
<body class="paper" style="margin:0;padding:0;background:#e6e9e4;">
<div style="display:none;max-height:0;overflow:hidden;">{what}</div>
<table role="presentation" class="paper" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="background:#e6e9e4;"><tr><td align="center" style="padding:28px 14px 36px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="max-width:520px;">
<tr><td class="ink" style="padding:0 2px 18px;color:#101417;{narrow};font-size:22px;\
font-weight:800;letter-spacing:.06em;text-transform:uppercase;">\
<span class="brand" style="color:#c4220a;">&#8853;</span>&nbsp;Killer\
<span class="soft" style="color:#4a5258;{text};font-size:15px;font-weight:400;letter-spacing:0;\
text-transform:none;">&nbsp; {game}</span></td></tr>
<tr><td><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>\
<td class="tab" style="background:#101417;color:#e6e9e4;padding:8px 18px 6px;{mono};\
font-size:12px;font-weight:700;letter-spacing:.12em;text-transform:uppercase;">{kicker}</td>\
</tr></table></td></tr>
<tr><td class="sheet" style="background:#fcfdfb;border:2px solid #101417;padding:26px 22px 24px;">
<h1 class="ink hello" style="margin:0 0 14px;color:#101417;{narrow};font-size:34px;\
line-height:1.05;font-weight:800;text-transform:uppercase;overflow-wrap:anywhere;\
word-break:break-word;">{hello}</h1>
<p class="ink" style="margin:0 0 24px;color:#101417;{text};font-size:17px;line-height:1.5;">\
{what}</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>\
<td class="signal" align="center" bgcolor="#c4220a" style="background:#c4220a;border-radius:3px;">\
<a href="{url}" style="display:block;padding:19px 16px;color:#ffffff;{text};font-size:19px;\
line-height:1.2;font-weight:700;text-decoration:none;border-radius:3px;">{button}</a></td>\
</tr></table>
<p class="ink" style="margin:22px 0 0;padding:2px 0 2px 14px;border-left:6px solid #c4220a;\
color:#101417;{text};font-size:16px;line-height:1.45;font-weight:700;">{secret}</p>
<p class="ink" style="margin:14px 0 0;color:#101417;{text};font-size:15px;line-height:1.5;">\
{lasts}</p>
<p class="soft line" style="margin:22px 0 0;padding:16px 0 0;border-top:2px solid #c3c9c2;\
color:#4a5258;{text};font-size:14px;line-height:1.5;">{else}<br>\
<a href="{url}" style="color:#4a5258;{mono};font-size:13px;word-break:break-all;">{url}</a></p>
</td></tr>
<tr><td class="soft" style="padding:16px 2px 0;color:#4a5258;{text};font-size:13px;\
line-height:1.5;">{why}</td></tr>
</table>
</td></tr></table>
</body>
</html>
"""


def drawn(texts: dict[str, str], language: str) -> str:
    """Draw the mail; every text is escaped."""
    told = {name: escape(text) for name, text in texts.items()}
    styles = {"text": TEXT, "narrow": NARROW, "mono": MONO, "night": NIGHT}
    return PAGE.format(language=language, **told, **styles)
