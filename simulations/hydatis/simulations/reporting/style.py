"""How the HTML report looks."""

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; margin: 0; }
header, main { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; border-bottom: 1px solid #ddd; }
h1 { font-size: 26px; margin: 0; }
h2 { font-size: 22px; margin: 36px 0 4px; }
h3 { font-size: 17px; margin: 32px 0 8px; }
h4 { font-size: 14px; margin: 20px 0 4px; color: #555; }
header p { color: #555; margin: 6px 0 16px; overflow-wrap: anywhere; }
.lead { color: #555; margin-top: 0; }
.warning { background: #fff4d6; border-left: 4px solid #e69f00; padding: 8px 12px; }
.findings { padding-left: 20px; }
.findings li { margin: 6px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 6px 12px; border-bottom: 1px solid #e6e6e6; text-align: right; vertical-align: top;
  white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
thead th { border-bottom: 2px solid #bbb; font-weight: 600; }
th small, td small { display: block; color: #666; font-weight: normal; font-size: 11.5px; }
tbody th small { display: inline; }
td b { font-weight: 600; }
td.text { white-space: normal; text-align: left; min-width: 260px; }
td.best { background: #e3f1ea; }
tr.reference th, tr.reference td { border-top: 1px solid #888; border-bottom: 1px solid #888; }
tr.bound th, tr.bound td { color: #777; }
.mark { color: #007a4d; }
.way { color: #888; }
.change { display: block; font-size: 12px; }
.legend .change { display: inline; }
.better { color: #00694a; font-weight: 600; }
.worse { color: #b03a00; font-weight: 600; }
.open { color: #777; }
.legend, figcaption { color: #555; font-size: 13px; }
figure { margin: 0; }
figure img { max-width: 100%; height: auto; }
pre { background: #f6f6f6; padding: 12px; overflow-x: auto; font-size: 12.5px; }
code { font-size: 12.5px; }
summary { cursor: pointer; padding: 4px 0; }
section + section { border-top: 1px solid #ddd; }
main { padding-bottom: 60px; }
"""
