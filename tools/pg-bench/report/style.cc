#include "tools/pg-bench/report/style.h"

namespace pg {

// A phone scrolls the table and nothing else; paper has its colours of daylight, and what is folded is unfolded where a
// browser can.
const std::string_view kReportStyle = R"(
:root{color-scheme:light dark;--paper:#fff;--back:#f5f6f8;--ink:#1c2128;--soft:#57606a;--rule:#dfe3e8}
@media screen and (prefers-color-scheme:dark){:root{--paper:#1a1f26;--back:#11151a;--ink:#e4e9ee;--soft:#9aa5b1;--rule:#323a44}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem;max-width:84rem;background:var(--back);color:var(--ink);
font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
html{background:var(--back);-webkit-text-size-adjust:100%}
h1{margin:0;font-size:1.7rem;line-height:1.2;letter-spacing:-.01em}
h2{margin:0;font-size:1.1rem}
h3{margin:0;font-size:.85rem;font-weight:600;color:var(--soft)}
header p,figcaption p{margin:.25rem 0 0;color:var(--soft)}
header{margin-bottom:1.75rem}
figcaption p{margin-top:.1rem;font-size:.85rem}
.scroll,figure,details{background:var(--paper);border:1px solid var(--rule);border-radius:8px}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.84rem;line-height:1.35;font-variant-numeric:tabular-nums}
th,td{padding:.5rem .6rem;text-align:right;white-space:nowrap}
th{font-weight:600}
thead th{padding-block:.35rem;color:var(--soft);font-size:.8rem}
thead th[colspan]{text-align:left;color:var(--ink);padding-top:.7rem}
thead th[rowspan]{vertical-align:bottom}
tbody tr{border-top:1px solid var(--rule)}
.first{border-left:1px solid var(--rule)}
th:first-child[scope=row],th[rowspan]{text-align:left}
tbody th{position:sticky;left:0;background:var(--paper);white-space:normal;overflow-wrap:break-word;min-width:10rem;width:40%;font-weight:500}
tbody th>span{display:flex;gap:.6rem;align-items:center}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,29rem),1fr));gap:1.25rem;margin:1.25rem 0 2rem}
figure{margin:0;padding:1.1rem 1.25rem 1.25rem;min-width:0}
.throughput{grid-column:1/-1}
.groups{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.1rem 2.5rem;margin-top:1.1rem}
ul{list-style:none;margin:0;padding:0}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;font-size:.8rem;line-height:1.3}
.legend li{display:flex;gap:.55rem;align-items:center}
.bars li{margin-top:.55rem;font-size:.85rem}
.bars div{display:grid;grid-template-columns:1fr 5.5rem;gap:.5rem;align-items:center}
.bars b{text-align:right;font-variant-numeric:tabular-nums;font-weight:600}
main>h2{margin-bottom:.75rem}
details{margin-top:.5rem}
summary{padding:.6rem 1rem;cursor:pointer;font-size:.9rem}
summary .key{margin:0 .6rem 0 .3rem}
details>div{columns:19rem;column-gap:2.5rem;padding:.5rem 1rem 0}
details section{break-inside:avoid;padding-bottom:1.1rem}
dl{margin:.35rem 0 0;font-size:.85rem}
dl div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.2rem 0;border-top:1px solid var(--rule)}
dt{color:var(--soft)}
dd{margin:0 0 0 auto;text-align:right;font-variant-numeric:tabular-nums}
@media (max-width:40rem){body{padding:1.25rem .75rem}figure{padding:.9rem}.plot{height:15rem}}
@media print{
@page{margin:12mm}
:root{--back:#fff;font-size:11px}
body{max-width:none;padding:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
th,td{padding:.3rem .4rem}
tbody th{position:static}
.scroll{overflow:visible}
.figures{grid-template-columns:1fr 1fr}
figure,tr{break-inside:avoid}
details::details-content{content-visibility:visible;height:auto;block-size:auto}
}
)";

}  // namespace pg
