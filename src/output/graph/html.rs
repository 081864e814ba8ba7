//! HTML: one page with the picture, the tables and the legend. No script, no font and no file from elsewhere.
//! It is XML too (void elements are closed), so that a parser can hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::graph::{Graph, Remark, Route, Scene, Source, State};
use crate::output::words::counted;

use super::escape::xml;
use super::look::{self, Colours, DARK, LIGHT, Palette, Tone};
use super::{svg, table};

/// A page with more pipelines than this opens only those that need a look.
const OPEN: usize = 3;

/// The page.
pub(super) fn render(graph: &Graph) -> String {
    let title = format!("crossgate: {}", xml(graph.project.as_str()));
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{title}</title>\n<style>{}{}</style>\n</head>\n<body{}>\n",
        css(),
        look::picture_css(".cg"),
        if is_short(graph) {
            " class=\"short\""
        } else {
            ""
        }
    );
    head(&mut html, graph);
    html.push_str("<main>\n");
    remarks(&mut html, &graph.remarks);
    if graph.scenes.len() > 1 {
        overview(&mut html, graph);
    }
    for (index, scene) in graph.scenes.iter().enumerate() {
        section(&mut html, graph, scene, index);
    }
    legend(&mut html, graph);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Whether all of it is printed, closed or open. Of more, what the reader has opened: 200 gates would be 234 sheets.
fn is_short(graph: &Graph) -> bool {
    gates(graph) <= 12
}

fn gates(graph: &Graph) -> usize {
    graph.scenes.iter().map(|scene| scene.routes.len()).sum()
}

fn head(html: &mut String, graph: &Graph) {
    let gates = gates(graph);
    let _ = write!(
        html,
        "<header>\n<p class=\"kicker\">crossgate</p>\n<h1>{}</h1>\n<p class=\"lead\">{} in {}. {}</p>\n",
        xml(graph.project.as_str()),
        counted(gates, "gate"),
        counted(graph.scenes.len(), "pipeline"),
        look::told(graph.source)
    );
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for route in graph.scenes.iter().flat_map(|scene| &scene.routes) {
        *counts.entry(route.overall()).or_default() += 1;
    }
    counts.remove(&State::Wanted);
    if !counts.is_empty() {
        html.push_str("<ul class=\"counts\">\n");
        for (state, count) in counts.iter().rev() {
            let gates = counted(*count, "gate");
            let _ = writeln!(html, "<li>{gates} {}</li>", table::chip(*state));
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</header>\n");
}

fn remarks(html: &mut String, remarks: &[Remark]) {
    if remarks.is_empty() {
        return;
    }
    html.push_str("<section aria-labelledby=\"notes\">\n<h2 id=\"notes\">To be known</h2>\n<ul class=\"notes\">\n");
    for remark in remarks {
        let Remark {
            state,
            about,
            message,
            hint,
        } = remark;
        let tone = Tone::of(*state).class();
        let chip = table::chip(*state);
        let _ = write!(
            html,
            "<li class=\"{tone}\"><p class=\"about\">{chip} {}</p><p>{}</p>",
            xml(about),
            xml(message)
        );
        if let Some(hint) = hint {
            let _ = write!(html, "<p class=\"hint\">hint: {}</p>", xml(hint));
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul>\n</section>\n");
}

/// A table of pipelines, each with a link to its picture.
fn overview(html: &mut String, graph: &Graph) {
    let told = graph.source != Source::Manifest;
    let _ = write!(
        html,
        "<section aria-labelledby=\"pipelines\">\n<h2 id=\"pipelines\">Pipelines</h2>\n<table class=\"overview\"><thead><tr>\
         <th scope=\"col\">Pipeline</th><th scope=\"col\">Account</th><th scope=\"col\">Region</th><th scope=\"col\">Gates</th>\
         {}</tr></thead><tbody>\n",
        if told {
            "<th scope=\"col\">State</th>"
        } else {
            ""
        }
    );
    for (index, scene) in graph.scenes.iter().enumerate() {
        let pipeline = &scene.pipeline;
        let state = table::chip(scene.overall());
        let state = format!("<td data-label=\"State\"><div>{state}</div></td>");
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><a href=\"#p{index}\">{}</a></th><td data-label=\"Account\"><div>{} {}</div></td>\
             <td data-label=\"Region\"><div>{}</div></td><td data-label=\"Gates\"><div>{}</div></td>\
             {}</tr>",
            table::code(pipeline.name.as_str()),
            xml(pipeline.place.name.as_str()),
            table::code(pipeline.place.id.as_str()),
            xml(pipeline.region.as_str()),
            scene.routes.len(),
            if told { state.as_str() } else { "" }
        );
    }
    html.push_str("</tbody></table>\n</section>\n");
}

fn section(html: &mut String, graph: &Graph, scene: &Scene, index: usize) {
    let pipeline = &scene.pipeline;
    let overall = scene.overall();
    let calm = matches!(overall, State::Wanted | State::InSync | State::Allowed);
    let open = if graph.scenes.len() <= OPEN || !calm {
        " open=\"open\""
    } else {
        ""
    };
    let _ = write!(
        html,
        "<section class=\"pipeline\" id=\"p{index}\" aria-labelledby=\"h{index}\">\n<h2 id=\"h{index}\">{}</h2>\n\
         <p class=\"place\">{} {} · {} · {} {}</p>\n<details class=\"figure\"{open}>\n<summary>Picture</summary>\n\
         <figure>\n{}{}</figure>\n</details>\n",
        table::code(pipeline.name.as_str()),
        xml(pipeline.place.name.as_str()),
        table::code(pipeline.place.id.as_str()),
        xml(pipeline.region.as_str()),
        counted(scene.routes.len(), "gate"),
        table::chip(overall),
        svg::part(graph, scene, false),
        svg::part(graph, scene, true)
    );
    html.push_str("<div class=\"gates\">\n");
    for route in &scene.routes {
        gate(html, scene, route, graph.scenes.len() <= OPEN);
    }
    html.push_str("</div>\n</section>\n");
}

fn gate(html: &mut String, scene: &Scene, route: &Route, few: bool) {
    let overall = route.overall();
    let calm = matches!(overall, State::Wanted | State::InSync | State::Allowed);
    let open = if (few && scene.routes.len() <= 4) || !calm {
        " open=\"open\""
    } else {
        ""
    };
    let _ = write!(
        html,
        "<details class=\"gate\"{open}>\n<summary><h3>Gate {}</h3> {}\
         <span class=\"way\">{} / {} → {} in {}</span></summary>\n{}{}</details>\n",
        table::code(route.gate.as_str()),
        table::chip(overall),
        xml(&route.stage),
        xml(&route.action),
        xml(route.function.name.as_str()),
        xml(route.function.place.name.as_str()),
        table::hops(scene, route),
        table::objects(scene, route)
    );
}

fn legend(html: &mut String, graph: &Graph) {
    html.push_str("<section aria-labelledby=\"legend\">\n<h2 id=\"legend\">Legend</h2>\n<dl class=\"legend\">\n");
    let hops = [
        ("0", "CodePipeline takes the pipeline's service role."),
        (
            "1",
            "The service role takes the invoke role: both accounts must allow it.",
        ),
        ("2", "The invoke role invokes the function."),
        (
            "2'",
            "The invoke role lists functions, which the CodePipeline guide asks for.",
        ),
        (
            "3",
            "The function's execution role answers, and the pipeline goes on, or stops.",
        ),
    ];
    for (number, text) in hops {
        let _ = writeln!(
            html,
            "<div><dt><b class=\"hop\">{}</b></dt><dd>{text}</dd></div>",
            xml(number)
        );
    }
    let mut seen: BTreeSet<State> = graph.scenes.iter().flat_map(Scene::states).collect();
    seen.remove(&State::Wanted);
    for state in State::ALL.into_iter().filter(|state| seen.contains(state)) {
        let _ = writeln!(
            html,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            table::chip(state),
            meaning(state)
        );
    }
    html.push_str("</dl>\n</section>\n");
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Wanted => "Nobody asked AWS about it.",
        State::InSync => "It is as the manifest wants it.",
        State::Create => "It is not there and shall be.",
        State::Update => "It is there and differs.",
        State::Delete => "It is there and shall not be.",
        State::Blocked => "Something forbids what the manifest wants.",
        State::Unknown => "It could not be read.",
        State::Allowed => "AWS will allow the call.",
        State::Denied => "AWS will deny the call.",
        State::NotProven => "It depends on something that is not known.",
    }
}

fn css() -> String {
    let mut css = format!(
        "*{{box-sizing:border-box}}html{{-webkit-text-size-adjust:100%}}\
         body{{margin:0;font:16px/1.5 {};background:var(--page);color:var(--ink)}}\
         code{{font-family:{};font-size:.92em}}",
        look::SANS,
        look::MONO
    );
    css.push_str(LAYOUT);
    let _ = write!(
        css,
        ":root{{{}}}@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}",
        variables(&LIGHT, false),
        variables(&DARK, true)
    );
    for tone in Tone::ALL {
        let class = tone.class();
        let _ = write!(
            css,
            ".chip.{class}{{color:var(--{class}-ink);background:var(--{class}-tint);border-color:var(--{class}-line)}}\
             .notes .{class}{{border-left-color:var(--{class}-line)}}.why.{class} td>div{{border-left-color:var(--{class}-line)}}"
        );
    }
    css
}

fn variables(palette: &Palette, dark: bool) -> String {
    let Palette {
        page,
        account,
        card,
        stage,
        border,
        ink,
        muted,
        accent,
    } = palette;
    let mut css = format!(
        "--page:{page};--account:{account};--card:{card};--stage:{stage};--border:{border};--ink:{ink};--muted:{muted};\
         --accent:{accent};"
    );
    for tone in Tone::ALL {
        let Colours { ink, tint, line } = look::colours(tone, dark);
        let class = tone.class();
        let _ = write!(
            css,
            "--{class}-ink:{ink};--{class}-tint:{tint};--{class}-line:{line};"
        );
    }
    css
}

const LAYOUT: &str = "\
header,main{max-width:1040px;margin:0 auto;padding:0 24px}header{padding-top:40px}main{padding-bottom:64px}\
h1{font-size:2rem;line-height:1.2;margin:0;letter-spacing:-.02em;overflow-wrap:anywhere}\
h2{font-size:1.3rem;margin:0;overflow-wrap:anywhere}h3{font-size:1rem;margin:0;display:inline;overflow-wrap:anywhere}\
h2 code,h3 code{font-size:1em}\
.kicker{margin:0;color:var(--accent);font-weight:650;letter-spacing:.04em}.lead{margin:8px 0 0;color:var(--muted)}\
.counts{display:flex;flex-wrap:wrap;gap:8px 20px;list-style:none;padding:0;margin:16px 0 0}\
section{margin-top:40px}.place{margin:4px 0 12px;color:var(--muted)}\
.chip{display:inline-block;white-space:nowrap;font-size:.8rem;font-weight:650;line-height:1.5;padding:0 9px;\
border:1px solid;border-radius:999px}\
.hop{display:inline-flex;min-width:26px;height:26px;align-items:center;justify-content:center;border-radius:13px;\
border:1.5px solid var(--quiet-line);font-size:.85rem}\
figure{margin:0}.cg{display:block;width:100%;height:auto;max-width:920px;margin:0 auto}.cg.narrow{display:none;max-width:400px}\
details{border:1px solid var(--border);border-radius:12px;margin-top:12px;background:var(--page)}\
summary{cursor:pointer;padding:10px 16px;border-radius:12px}summary:focus-visible,a:focus-visible{outline:3px solid var(--accent);\
outline-offset:2px}.figure>summary{color:var(--muted);font-size:.9rem}.figure>figure{padding:0 8px 12px}\
.gates{border:1px solid var(--border);border-radius:12px;margin-top:12px}.gates .gate{border:0;border-radius:0;margin:0;background:none}\
.gates .gate+.gate{border-top:1px solid var(--border)}.way{float:right;max-width:60%;color:var(--muted);font-size:.88rem;\
line-height:1.7;text-align:right;overflow-wrap:anywhere}summary::after{content:\"\";display:block;clear:both}\
summary:hover{background:var(--account)}\
table{width:100%;border-collapse:collapse;margin:4px 0 16px;font-size:.92rem}\
.gate table{width:calc(100% - 32px);margin:4px 16px 20px}\
caption{text-align:left;font-weight:650;padding:6px 0}\
th,td{text-align:left;vertical-align:top;padding:8px 12px 8px 0;border-top:1px solid var(--border);font-weight:400;\
overflow-wrap:anywhere}thead th{border-top:0;color:var(--muted);font-size:.82rem;font-weight:600}\
thead th{white-space:nowrap}.gate table{table-layout:fixed}\
.why td{border-top:0;padding-top:0}.why td>div{margin-bottom:4px;padding:1px 0 1px 12px;border-left:3px solid var(--quiet-line)}\
.why p{margin:0}.why p+p{margin-top:5px}\
.hops thead th:first-child{width:52px}.hops.of5 th:nth-child(3){width:29%}.hops.of5 th:nth-child(4){width:22%}.hops.of5 th:nth-child(5){width:132px}\
.objects thead th:first-child{width:24%}.objects.of3 th:nth-child(3){width:190px}\
.objects.of4 thead th:first-child{width:21%}.objects.of4 th:nth-child(3){width:190px}.objects.of4 th:nth-child(4){width:120px}.none{color:var(--muted);font-size:.88rem}a{color:var(--accent)}\
.notes{list-style:none;padding:0;margin:12px 0 0;display:grid;gap:10px}\
.notes li{border:1px solid var(--border);border-left-width:4px;border-radius:8px;padding:10px 14px;overflow-wrap:anywhere}\
.notes p{margin:0}.notes .about{font-weight:600}.notes .hint{color:var(--muted)}\
.legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:10px 24px;margin:12px 0 0}\
.legend div{display:flex;gap:12px;align-items:baseline}.legend dt{flex:0 0 auto}.legend dd{margin:0;color:var(--muted)}\
@media (max-width:700px){header,main{padding-left:12px;padding-right:12px}header{padding-top:24px}\
.cg.wide{display:none}.cg.narrow{display:block}.figure>figure{padding:0 2px 10px}h1{font-size:1.6rem}\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
table,tbody,tr,th,td,caption{display:block}\
tr{border:1px solid var(--border);border-radius:10px;padding:8px 12px;margin-top:8px}\
th,td{border:0;padding:3px 0}tr:has(+.why){border-bottom:0;border-radius:10px 10px 0 0}.why td:first-child{display:none}\
tr.why{margin-top:0;border-top:0;border-radius:0 0 10px 10px;padding-top:0}.why td::before{content:none}\
.way{float:none;display:block;max-width:none;text-align:left;margin:2px 0 0 18px}td{display:flex;gap:10px}td::before{content:attr(data-label);flex:0 0 68px;color:var(--muted);\
font-size:.85rem}td>div{min-width:0}tbody th{font-weight:650}}\
@media print{body{font-size:11pt}header,main{max-width:none;padding:0}.cg{max-width:none;print-color-adjust:exact;\
-webkit-print-color-adjust:exact}.cg.wide{display:block;max-width:100%}.cg.narrow{display:none}.chip,.hop{print-color-adjust:exact;\
-webkit-print-color-adjust:exact}details{border:0}summary{list-style:none;padding:0}.figure>summary{display:none}\
.short details::details-content{content-visibility:visible;block-size:auto}\
.gates{border:0}.gates .gate{margin-top:16px}.gates .gate+.gate{border-top:0}.gate table{width:100%;margin:4px 0 12px}\
tr,li,figure{break-inside:avoid}tr:has(+.why){break-after:avoid}h2,h3,caption{break-after:avoid}}";
