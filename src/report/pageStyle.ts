import { CHART_COLORS, DARK_COLORS } from './colors.js';

function variables(colors: Readonly<Record<string, string>>): string {
  return Object.entries(colors)
    .map(([name, color]) => `--${name}:${color}`)
    .join(';');
}

const LIGHT = `${variables(CHART_COLORS)};--page:#fefefe;--card:#f4f6f8;--line:#d5dbe1;--alert:#7a4b00;--alert-card:#fff4dc;--hatch-a:#b9c4d0;--hatch-b:#a3b0be`;
const DARK = `${variables(DARK_COLORS)};--page:#14181c;--card:#1d2329;--line:#39424b;--alert:#ffd48a;--alert-card:#2e2614;--hatch-a:#5d6a78;--hatch-b:#4a5664`;

/** The style sheet of the report: one column, light and dark, from 360 px to print. */
export const PAGE_STYLE: string = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI","Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:940px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:44px 0 8px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:22px 0 6px}
p{margin:6px 0;max-width:75ch}
.note,.subtitle,figcaption{color:var(--muted);font-size:.88rem}
.subtitle{overflow-wrap:anywhere;max-width:none}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:10px;margin:20px 0 16px}
.figures div{background:var(--card);border-radius:8px;padding:10px 14px}
.figures b{display:block;font-size:1.4rem;line-height:1.3;font-variant-numeric:tabular-nums;white-space:nowrap}
.figures span{color:var(--muted);font-size:.82rem;display:block;line-height:1.35}
.warnings{background:var(--alert-card);color:var(--alert);border-left:4px solid currentColor;border-radius:4px;padding:8px 16px;margin:16px 0}
.warnings ul{margin:4px 0;padding-left:20px}
.warnings li{overflow-wrap:anywhere}
figure{margin:14px 0;break-inside:avoid}
figure svg{max-width:100%;height:auto;display:block}
figcaption{margin-top:6px;max-width:85ch}
.narrow{display:none}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:4px 28px}
.images{display:grid;grid-template-columns:repeat(3,1fr);gap:14px}
.images figure{margin:0}
.images svg,.single svg{width:100%;border-radius:3px;background:repeating-linear-gradient(45deg,var(--hatch-a) 0 3px,var(--hatch-b) 3px 6px)}
.single{max-width:440px}
.single svg{display:block;height:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.88rem;margin:8px 0;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--muted);white-space:nowrap}
th,td{padding:3px 18px 3px 0;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:break-word;max-width:420px}
td.prose{min-width:170px}
th.number,td.number{text-align:right;white-space:nowrap}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:0 36px}
summary{cursor:pointer;color:var(--rows)}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line)}
@media screen and (max-width:720px){
main{padding:18px 14px 40px}
.wide{display:none}.narrow{display:block}
h1{font-size:1.35rem}
.figures{grid-template-columns:1fr 1fr}
.figures b{font-size:1.2rem}
.images{grid-template-columns:1fr 1fr}
}
@media print{
:root{${LIGHT}}
main{max-width:none;padding:0}
body{font-size:11pt}
h2,h3{break-after:avoid}
tr{break-inside:avoid}
.scroll{overflow:visible}
table{font-size:8.5pt}
th,td{padding-right:9px}
th.number,td.number,th{white-space:normal}
}`;
