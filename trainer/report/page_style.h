// The style sheet of the report.
#pragma once

namespace xccl::trainer {

inline constexpr const char* kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #f7f7f4; --card: #ffffff; --ink: #20242b; --quiet: #667080; --rule: #e2e4e8;
  --c1: #2f6fde; --c2: #e0742c; --c3: #1f9e89; --c4: #8b5fd0; --c5: #9aa3af; --c6: #c7375f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --card: #1c2027; --ink: #e8eaee; --quiet: #98a2b3; --rule: #303641;
    --c1: #6ea0ff; --c2: #f39a5b; --c3: #4cc9b0; --c4: #b794f6; --c5: #6b7482; --c6: #f0738f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2.5rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; letter-spacing: -.01em; }
h2 { font-size: 1.02rem; margin: 0 0 .6rem; }
.subtitle { color: var(--quiet); margin: 0 0 1.6rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, auto)); gap: .8rem; }
.tile, section {
  background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
}
.tile { padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.25rem; font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
.tile span { color: var(--quiet); font-size: .86rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: .8rem; margin-top: .8rem; }
section { padding: 1rem 1.1rem; min-width: 0; }
section.wide { grid-column: 1 / -1; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg .axis { fill: var(--quiet); }
svg .grid { stroke: var(--rule); }
svg .baseline, svg .tick { stroke: var(--quiet); }
svg .line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
svg .faint { stroke-width: 1; opacity: .35; }
svg .area { fill: currentColor; }
svg .dot { fill: currentColor; stroke: var(--card); stroke-width: 1.5; }
.series-1 { color: var(--c1); } .series-2 { color: var(--c2); } .series-3 { color: var(--c3); }
.series-4 { color: var(--c4); } .series-5 { color: var(--c5); } .series-6 { color: var(--c6); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: 0 0 .5rem; list-style: none; font-size: .86rem; color: var(--quiet); }
.legend i { display: inline-block; width: .75rem; height: .75rem; border-radius: 3px; margin-right: .4rem; background: currentColor; vertical-align: -1px; }
.legend em { font-style: normal; color: var(--quiet); }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.6 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
pre .prompt { color: var(--quiet); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 0 2rem; margin: 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .22rem 0; border-top: 1px solid var(--rule); }
dt { color: var(--quiet); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
)css";

}  // namespace xccl::trainer
