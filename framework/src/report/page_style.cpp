#include "report/page_style.h"

#include "text/chart.h"

namespace kindred::report {

const std::string& page_style() {
  static const std::string css = text::chart_style() + R"css(
:root {
  color-scheme: light;
  --page: #f6f7f8; --card: #ffffff; --ink: #1b2027; --quiet: #5a6472; --rule: #dfe3e8; --grid: #e9ecef;
  --accent: #245a8d; --soft: #eef3f8; --right: #157347; --wrong: #b42318; --warn: #8a5a00; --warn-soft: #fdf5e3;
  --s0: #245a8d; --s1: #c2601c; --s2: #157347; --s3: #7b4aa3;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --page: #12151a; --card: #1a1f26; --ink: #e5e9ee; --quiet: #9aa6b4; --rule: #2e3640; --grid: #29303a;
    --accent: #85b8ea; --soft: #202a35; --right: #45b77d; --wrong: #ec7c70; --warn: #f0c264; --warn-soft: #2b2517;
    --s0: #85b8ea; --s1: #f0a468; --s2: #4fc88a; --s3: #c39be6;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
header, nav, main, footer { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
.kind { margin: 0; color: var(--quiet); font-size: 13px; letter-spacing: .02em; }
h1 { margin: 2px 0 10px; font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 0 0 14px; font-size: 20px; line-height: 1.3; font-weight: 650; }
h3 { margin: 28px 0 10px; font-size: 16px; font-weight: 650; }
h4 { margin: 24px 0 4px; font-size: 15px; font-weight: 650; }
h5 { margin: 14px 0 0; font-size: 13.5px; font-weight: 600; }
section > h3:first-of-type { margin-top: 14px; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 0; }
.facts div { display: flex; gap: 6px; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 16px 0 0; padding: 10px 0; list-style: none;
  border-top: 1px solid var(--rule); }
a { color: var(--accent); text-underline-offset: 3px; }
nav a { text-decoration: none; padding: 2px 0; display: inline-block; }
nav a:hover { text-decoration: underline; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible, pre:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 20px 22px 22px;
  margin: 0 0 18px; }
.note { color: var(--quiet); margin: 8px 0 12px; max-width: 95ch; }
.empty { color: var(--quiet); margin: 8px 0; }
.notice { background: var(--warn-soft); border-left: 3px solid var(--warn); padding: 8px 12px; margin: 10px 0;
  border-radius: 0 4px 4px 0; white-space: pre-line; }
.notice strong { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(118px, 1fr)); gap: 10px; margin: 0 0 12px; }
.tiles div { background: var(--soft); border-radius: 6px; padding: 10px 14px 11px; }
.tiles dt { color: var(--quiet); font-size: 13px; }
.tiles dd { margin: 0; font-size: 24px; line-height: 1.25; font-weight: 600; white-space: nowrap; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; min-width: min(100%, 420px); }
caption { text-align: left; color: var(--quiet); font-size: 13px; padding-bottom: 4px; }
th, td { text-align: right; padding: 5px 0 5px 22px; border-bottom: 1px solid var(--rule); font-weight: 400;
  white-space: nowrap; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--quiet); font-size: 13px; }
th.words, td.words { text-align: left; }
tbody th { position: sticky; left: 0; background: var(--card); }
tr.emphasized th, tr.emphasized td { font-weight: 650; }
.loss { color: var(--wrong); font-weight: 600; }
.tables { display: flex; flex-wrap: wrap; gap: 6px 40px; }
.tables .scroll { max-width: 100%; }
.shade { display: inline-block; padding: 1px 6px; border-radius: 3px; min-width: 56px;
  background: color-mix(in srgb, var(--accent) calc(var(--share, 0%) * .5), transparent); }
.few { color: var(--quiet); font-style: italic; }
.share { display: inline-block; height: 8px; min-width: 1px; background: var(--accent); border-radius: 2px;
  vertical-align: baseline; }
.track { display: inline-block; width: 120px; text-align: left; margin-right: 8px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 18px 30px;
  margin: 8px 0 4px; align-items: start; }
.small-charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 150px), 1fr)); gap: 12px 18px;
  margin: 8px 0 0; }
.figure { margin: 0; min-width: 0; }
.charts .figure { max-width: 470px; }
.figure figcaption { margin-bottom: 6px; line-height: 1.35; font-weight: 600; }
.caption { margin: 4px 0 0; color: var(--quiet); font-size: 13px; line-height: 1.4; }
.small-charts figcaption { display: flex; justify-content: space-between; gap: 8px; margin: 0; font-size: 12.5px;
  font-weight: 400; }
.small-charts figcaption span { color: var(--quiet); white-space: nowrap; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 4px 0 0; padding: 0; list-style: none; font-size: 13px; }
.legend svg { width: 24px; height: 8px; margin-right: 6px; }
.key { font-weight: 600; margin-right: 10px; } .key.right { color: var(--right); } .key.wrong { color: var(--wrong); }
.ranking { display: grid; grid-template-columns: 107px minmax(0, 1fr); gap: 4px 14px; margin: 0; padding: 12px 0 10px;
  border-top: 1px solid var(--rule); break-inside: avoid; }
.ranking figcaption { grid-column: 1 / -1; font-size: 13.5px; }
.ranking figcaption strong { font-weight: 600; margin-right: 8px; }
.ranking figcaption span { color: var(--quiet); }
.ranking img { display: block; width: 100%; height: auto; border-radius: 3px; }
.query { border-right: 1px solid var(--rule); padding-right: 14px; }
.query img { border: 3px solid transparent; }
.query span:last-child, .rank { display: block; font-size: 12px; color: var(--quiet); margin-top: 2px; text-align: center; }
.ranking ol { display: grid; grid-template-columns: repeat(10, minmax(0, 92px)); gap: 8px; margin: 0; padding: 0;
  list-style: none; align-items: start; }
.ranking li { position: relative; }
.ranking li img, .ranking li .missing { border: 3px solid var(--rule); border-radius: 4px; }
.ranking li.right img, .ranking li.right .missing { border-color: var(--right); }
.ranking li.wrong img, .ranking li.wrong .missing { border-color: var(--wrong); border-style: dashed; }
.mark { position: absolute; top: 0; right: 0; width: 20px; height: 20px; line-height: 19px; text-align: center;
  font-size: 13px; font-weight: 700; color: var(--card); border-radius: 0 4px 0 5px; }
.right .mark { background: var(--right); } .wrong .mark { background: var(--wrong); }
.missing { display: flex; align-items: center; width: 100%; aspect-ratio: 1 / 2; padding: 4px; overflow: hidden;
  background: var(--grid); color: var(--quiet); font-size: 10px; line-height: 1.25; border-radius: 3px; }
.sheet { margin: 16px 0 0; } .sheet img { display: block; max-width: 100%; height: auto; margin-top: 6px; border-radius: 4px; }
details { border-top: 1px solid var(--rule); padding: 8px 0; }
summary { cursor: pointer; color: var(--accent); }
details.zoom { border: 0; padding: 0; }
.zoom > summary { display: block; list-style: none; cursor: zoom-in; }
.zoom > summary::-webkit-details-marker { display: none; }
.zoom > p { display: none; }
.ranking .zoom .map { margin-top: 4px; border: 0; border-radius: 3px; }
.zoom[open] { aspect-ratio: 1 / 2; }
.zoom[open] > summary { position: fixed; inset: 0; z-index: 8; display: flex; align-items: center;
  justify-content: center; gap: 3vw; padding: 2vh 3vw 9vh; background: rgba(8, 10, 13, .9); cursor: zoom-out; }
.ranking .zoom[open] > summary img { width: auto; height: min(82vh, 900px, 88vw); max-width: 45vw;
  object-fit: contain; margin: 0; border: 0; }
.zoom[open] > p { display: block; position: fixed; inset: auto 0 0 0; z-index: 9; margin: 0; padding: 1vh 3vw 3vh;
  color: #eef1f4; text-align: center; pointer-events: none; }
pre { margin: 8px 0 0; padding: 12px 14px; background: var(--soft); border-radius: 6px; overflow-x: auto;
  font: 12.5px/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.warnings { margin: 0; padding-left: 20px; } .warnings li { white-space: pre-line; margin-bottom: 6px; }
footer { color: var(--quiet); font-size: 13px; padding-bottom: 32px; }
@media screen and (max-width: 1020px) {
  .scroll.wide { overflow-x: visible; }
  .scroll.wide table, .scroll.wide tbody, .scroll.wide tr, .scroll.wide th, .scroll.wide td, .scroll.wide caption { display: block; min-width: 0;
    white-space: normal; }
  .scroll.wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .scroll.wide tr { padding: 6px 0; border-bottom: 1px solid var(--rule); }
  .scroll.wide th, .scroll.wide td { padding: 1px 0; border: 0; text-align: left; }
  .scroll.wide tbody th { position: static; font-weight: 600; }
  .scroll.wide td { display: flex; justify-content: space-between; gap: 16px; }
  .scroll.wide td:empty { display: none; }
  .scroll.wide td::before { content: attr(data-label); color: var(--quiet); font-weight: 400; }
  .scroll.wide .track { display: none; }
}
@media screen and (max-width: 600px) {
  .scroll { overflow-x: visible; }
  .scroll table, .scroll tbody, .scroll tr, .scroll th, .scroll td, .scroll caption { display: block; min-width: 0;
    white-space: normal; }
  .scroll thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .scroll tr { padding: 6px 0; border-bottom: 1px solid var(--rule); }
  .scroll th, .scroll td { padding: 1px 0; border: 0; text-align: left; }
  .scroll tbody th { position: static; font-weight: 600; }
  .scroll td { display: flex; justify-content: space-between; gap: 16px; }
  .scroll td:empty { display: none; }
  .scroll td::before { content: attr(data-label); color: var(--quiet); font-weight: 400; }
  .scroll .track { display: none; }
}
@media (max-width: 760px) {
  header, nav, main, footer { padding-left: 12px; padding-right: 12px; }
  section { padding: 16px 14px 18px; }
  h1 { font-size: 25px; }
  .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; }
  .tiles div { padding: 8px 9px 9px; } .tiles dd { font-size: 18px; }
  .ranking { grid-template-columns: 64px minmax(0, 1fr); gap: 4px 10px; }
  .query { padding-right: 8px; }
  .ranking ol { grid-template-columns: repeat(5, minmax(0, 92px)); gap: 6px; }
  .mark { width: 17px; height: 17px; line-height: 16px; font-size: 12px; }
  .rank, .query span:last-child { font-size: 11px; }
}
@media print {
  body { background: none; font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav { display: none; }
  header, main, footer { max-width: none; padding: 0; }
  section { border: 0; padding: 0; margin-bottom: 18px; }
  h2, h3, h4 { break-after: avoid; }
  .figure, tr { break-inside: avoid; }
}
)css";
  return css;
}

}  // namespace kindred::report
