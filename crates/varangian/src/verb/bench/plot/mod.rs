//! Figures of what was measured, each an SVG file.
//!
//! - `figure-7-fF.svg`: throughput against clients, a panel for each payload (the paper's figure 7);
//! - `figure-8-fF.svg`: the latency of one client for each payload (the paper's figure 8), if one client was measured;
//! - `saturation-fF.svg`: latency against throughput, the number of clients as the parameter, up to saturation and past it;
//! - `offered-fF.svg`: what is done and how long it takes against what is offered, if that was measured;
//! - `figure-9-….svg`: throughput over time while a node is killed (the paper's figure 9).
//!
//! Dots and lines are medians of the repetitions; bars and bands are from the least to the greatest.

mod axis;
mod chart;
mod svg;

use super::failure::Outage;
use super::row::{Cell, Row};
use super::summary::{self, Line, Spread};
use super::tell::{distinct, groups};
use super::trouble::Trouble;
use axis::{Axis, Scale, Unit};
use chart::{Figure, Panel, Point, Series, Style};
use std::fs;
use std::path::{Path, PathBuf};

/// Draws everything that there is into `folder`; which files were written.
pub(super) fn draw(folder: &Path, rows: &[Row], outages: &[Outage]) -> Result<Vec<PathBuf>, Trouble> {
    fs::create_dir_all(folder).map_err(|error| Trouble::File(folder.to_path_buf(), error))?;
    let mut written = Vec::new();
    for (name, figure) in of_rows(rows).into_iter().chain(of_outages(outages)) {
        let path = folder.join(name);
        fs::write(&path, figure.svg()).map_err(|error| Trouble::File(path.clone(), error))?;
        written.push(path);
    }
    Ok(written)
}

fn of_rows(rows: &[Row]) -> Vec<(String, Figure)> {
    let all = summary::lines(rows);
    let (open, closed): (Vec<Line>, Vec<Line>) = all.into_iter().partition(|line| line.cell.offered > 0.0);
    let mut figures = Vec::new();
    for f in distinct(closed.iter().map(|line| line.cell.f)) {
        let lines: Vec<&Line> = closed.iter().filter(|line| line.cell.f == f).collect();
        figures.push((format!("figure-7-f{f}.svg"), throughput(&lines)));
        if lines.iter().any(|line| line.cell.clients == 1) {
            figures.push((format!("figure-8-f{f}.svg"), latency(&lines)));
        }
        figures.push((format!("saturation-f{f}.svg"), saturation(&lines)));
    }
    for f in distinct(open.iter().map(|line| line.cell.f)) {
        let lines: Vec<&Line> = open.iter().filter(|line| line.cell.f == f).collect();
        figures.push((format!("offered-f{f}.svg"), offered(&lines)));
    }
    figures
}

const RATE: fn(&Row) -> f64 = |row| row.operations_per_second;
const LATENCY: fn(&Row) -> f64 = |row| row.p50_us;

fn triple(spread: Spread) -> [f64; 3] {
    [spread.least, spread.median, spread.most]
}

fn exactly(number: f64) -> [f64; 3] {
    [number; 3]
}

fn axis(label: &'static str, scale: Scale, unit: Unit) -> Axis {
    Axis { label, scale, unit, only: Vec::new() }
}

fn done_axis() -> Axis {
    axis("operations per second", Scale::Linear, Unit::Count)
}

fn latency_axis() -> Axis {
    axis("median latency", Scale::Logarithmic, Unit::Microseconds)
}

/// What a figure says of how it was measured.
fn subtitle(lines: &[&Line]) -> String {
    let rows = || lines.iter().flat_map(|line| &line.rows);
    let durability = distinct(rows().map(|row| row.durability.clone())).join(", ");
    let links = distinct(rows().filter_map(|row| row.links.clone())).join(", ");
    let repetitions = lines.iter().map(|line| line.rows.len()).max().unwrap_or(0);
    format!(
        "{durability}, {links} links; medians of {repetitions}, bars from least to greatest; one machine, load included"
    )
}

/// A series for each system of those lines that `is_in` takes.
fn series(lines: &[&Line], is_in: impl Fn(&Cell) -> bool, point: impl Fn(&Line) -> Point) -> Vec<Series> {
    let systems = distinct(lines.iter().map(|line| line.system.clone()));
    let of = |name: String| {
        let own = lines.iter().filter(|line| line.system == name && is_in(&line.cell));
        Series { points: own.map(|line| point(line)).collect(), name }
    };
    systems.into_iter().map(of).filter(|series| !series.points.is_empty()).collect()
}

/// A panel for each payload, whose series are made by `point`.
fn by_payload(lines: &[&Line], (x, y): (Axis, Axis), point: impl Fn(&Line) -> Point) -> Vec<Panel> {
    let payloads = distinct(lines.iter().map(|line| line.cell.payload_text()));
    let panel = |payload: String| Panel {
        series: series(lines, |cell| cell.payload_text() == payload, &point),
        title: format!("{payload} kB"),
        x: x.clone(),
        y: y.clone(),
        style: Style::Dots,
        mark: None,
    };
    payloads.into_iter().map(panel).collect()
}

fn f_of(lines: &[&Line]) -> usize {
    lines.first().map_or(0, |line| line.cell.f)
}

fn throughput(lines: &[&Line]) -> Figure {
    let mut clients = distinct(lines.iter().map(|line| line.cell.clients as f64));
    clients.sort_by(f64::total_cmp);
    let x = Axis { only: clients, ..axis("clients", Scale::Logarithmic, Unit::Count) };
    let point = |line: &Line| Point {
        x: exactly(line.cell.clients as f64),
        y: triple(line.spread(RATE)),
        note: String::new(),
    };
    Figure {
        title: format!("Throughput as the number of clients varies, f = {}", f_of(lines)),
        subtitle: subtitle(lines),
        panels: by_payload(lines, (x, done_axis()), point),
    }
}

fn latency(lines: &[&Line]) -> Figure {
    let lines: Vec<&Line> = lines.iter().copied().filter(|line| line.cell.clients == 1).collect();
    let payloads = distinct(lines.iter().map(|line| line.cell.payload_text()));
    let place = |cell: &Cell| payloads.iter().position(|payload| *payload == cell.payload_text());
    let point = |line: &Line| Point {
        x: exactly(place(&line.cell).unwrap_or(0) as f64),
        y: triple(line.spread(LATENCY)),
        note: String::new(),
    };
    let panel = Panel {
        title: "one client".to_string(),
        x: axis("kilobytes of request / reply", Scale::Names(payloads.clone()), Unit::Count),
        y: axis("median latency", Scale::Linear, Unit::Microseconds),
        style: Style::Columns,
        series: series(&lines, |_| true, point),
        mark: None,
    };
    Figure {
        title: format!("Latency without contention, f = {}", f_of(&lines)),
        subtitle: subtitle(&lines),
        panels: vec![panel],
    }
}

fn saturation(lines: &[&Line]) -> Figure {
    let point = |line: &Line| Point {
        x: triple(line.spread(RATE)),
        y: triple(line.spread(LATENCY)),
        note: super::table::thousands(line.cell.clients as f64),
    };
    Figure {
        title: format!(
            "Latency against throughput, f = {}; beside each dot the number of clients",
            f_of(lines)
        ),
        subtitle: subtitle(lines),
        panels: by_payload(lines, (done_axis(), latency_axis()), point),
    }
}

fn offered(lines: &[&Line]) -> Figure {
    let x = axis("operations per second that are offered", Scale::Linear, Unit::Count);
    let against = |of: fn(&Row) -> f64| {
        move |line: &Line| Point {
            x: exactly(line.cell.offered),
            y: triple(line.spread(of)),
            note: String::new(),
        }
    };
    let mut panels = Vec::new();
    for mut panel in by_payload(lines, (x.clone(), done_axis()), against(RATE)) {
        panel.title += ": what is done";
        panels.push(panel);
    }
    for mut panel in by_payload(lines, (x, latency_axis()), against(LATENCY)) {
        panel.title += ": how long it takes from when it was due";
        panels.push(panel);
    }
    let clients = distinct(lines.iter().map(|line| line.cell.clients.to_string())).join(", ");
    Figure {
        title: format!("Offered load, f = {}, {clients} clients in an open loop", f_of(lines)),
        subtitle: subtitle(lines),
        panels,
    }
}

fn of_outages(outages: &[Outage]) -> Vec<(String, Figure)> {
    let kinds = distinct(outages.iter().map(|outage| {
        let payload = (outage.request_bytes / 1024, outage.reply_bytes / 1024);
        (outage.f, outage.clients, payload, outage.failure.clone())
    }));
    let figure = |(f, clients, payload, failure): (usize, usize, (usize, usize), String)| {
        let is_in = |outage: &&Outage| {
            (outage.f, outage.clients) == (f, clients)
                && (outage.request_bytes / 1024, outage.reply_bytes / 1024) == payload
                && outage.failure == failure
        };
        let own: Vec<Outage> = outages.iter().filter(is_in).cloned().collect();
        let name = format!("figure-9-{failure}-f{f}-{clients}-{}-{}.svg", payload.0, payload.1);
        (name, over_time(&own, &format!("f = {f}, {clients} clients, {}/{} kB", payload.0, payload.1)))
    };
    kinds.into_iter().map(figure).collect()
}

fn over_time(outages: &[Outage], what: &str) -> Figure {
    let groups = groups(outages);
    let series = |group: &Vec<&Outage>| {
        let steps = group.iter().map(|outage| outage.over_time_per_second.len()).min().unwrap_or(0);
        let point = |step: usize| {
            let rates = group.iter().filter_map(|outage| outage.over_time_per_second.get(step).copied());
            let width = group.first().map_or(0.0, |outage| outage.step_ms as f64 / 1e3);
            let spread = Spread::of(rates)?;
            Some(Point { x: exactly((step as f64 + 0.5) * width), y: triple(spread), note: String::new() })
        };
        let name = group.first().map(|outage| outage.system.clone()).unwrap_or_default();
        Series { name, points: (0..steps).filter_map(point).collect() }
    };
    let first = outages.first();
    let killed =
        first.map_or("", |outage| if outage.failure == "primary" { "the primary" } else { "a backup" });
    let panel = Panel {
        title: what.to_string(),
        x: axis("seconds", Scale::Linear, Unit::Seconds),
        y: done_axis(),
        style: Style::Band,
        series: groups.iter().map(series).collect(),
        mark: first.map(|outage| (outage.at_seconds, format!("{killed} is killed"))),
    };
    let durability = first.map_or("", |outage| outage.durability.as_str());
    let repetitions = groups.iter().map(Vec::len).max().unwrap_or(0);
    Figure {
        title: format!("Throughput after {killed} is killed"),
        subtitle: format!("{durability}; medians of {repetitions} runs, band from least to greatest"),
        panels: vec![panel],
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::row;
    use super::*;

    #[test]
    fn each_figure_is_drawn_of_what_there_is() {
        let mut rows = Vec::new();
        for (clients, rate) in [(1, 3_000.0), (64, 90_000.0), (1000, 200_000.0)] {
            for repetition in 1..=3 {
                rows.push(row("byzid", clients, rate + 1000.0 * repetition as f64, repetition));
                rows.push(row("paxos", clients, rate * 1.1, repetition));
            }
        }
        let names: Vec<String> = of_rows(&rows).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["figure-7-f1.svg", "figure-8-f1.svg", "saturation-f1.svg"]);
        for (name, figure) in of_rows(&rows) {
            let text = figure.svg();
            assert!(
                text.contains("byzid") && text.contains("paxos") && !text.contains("NaN"),
                "{name}: {text}"
            );
        }
        let many: Vec<Row> =
            rows.iter().filter(|row| row.clients > 1).cloned().map(|row| Row { f: 3, ..row }).collect();
        let names: Vec<String> = of_rows(&many).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["figure-7-f3.svg", "saturation-f3.svg"], "no single client was measured");
        let offered = [Row { offered_per_second: Some(5e4), ..row("byzid", 64, 4e4, 1) }];
        assert_eq!(of_rows(&offered)[0].0, "offered-f1.svg");
        assert!(of_rows(&[]).is_empty() && of_outages(&[]).is_empty());
    }
}
