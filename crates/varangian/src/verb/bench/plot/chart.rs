//! Charts: panels with axes and series, side by side below one title and one legend.

use super::super::tell::distinct;
use super::axis::{Axis, Ruler, Scale};
use super::svg::{Anchor, Picture, Type};

/// One number with its spread, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// Across, and from where to where it was.
    pub(super) x: [f64; 3],
    /// Up, and from where to where it was.
    pub(super) y: [f64; 3],
    /// What is written beside it.
    pub(super) note: String,
}

/// What is drawn alike.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
}

/// How series are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Dots with bars for their spread, joined.
    Dots,
    /// A line, with a band for its spread.
    Band,
    /// A column for each series at each place.
    Columns,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) style: Style,
    pub(super) series: Vec<Series>,
    /// Something that happened: where across, and what.
    pub(super) mark: Option<(f64, String)>,
}

/// A whole picture.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) panels: Vec<Panel>,
}

/// Width and height of a panel among others, and the width of one alone.
const PANEL: (f64, f64) = (460.0, 330.0);
const ALONE: f64 = 720.0;
const MARGIN_LEFT: f64 = 78.0;
const MARGIN_RIGHT: f64 = 26.0;
const MARGIN_TOP: f64 = 36.0;
const MARGIN_BOTTOM: f64 = 56.0;
/// Height of what stands above the panels, if the legend is one row, and of what stands below a row.
const HEAD: f64 = 92.0;
const UNDER_LEGEND: f64 = 20.0;
const MARGIN: f64 = 20.0;
const COLUMNS_MAX: usize = 2;

const INK: &str = "#222";
const PALE: &str = "#666";
const GRID: &str = "#e4e4e4";
const ALARM: &str = "#b00020";

/// Colours that people who do not tell red from green can tell apart (Okabe and Ito), each system's own in every figure.
const COLOURS: [(&str, &str); 9] = [
    ("byzid", "#0072b2"),
    ("byzid-w", "#56b4e9"),
    ("paxos", "#444444"),
    ("pbft", "#d55e00"),
    ("etcd", "#009e73"),
    ("raft-rs", "#cc79a7"),
    ("raft-rs (batched)", "#8e4a74"),
    ("omnipaxos", "#e69f00"),
    ("omnipaxos (batched)", "#9a6a00"),
];

fn colour_of(name: &str) -> &'static str {
    COLOURS.iter().find(|(system, _)| *system == name).map_or("#999999", |(_, colour)| colour)
}

fn look(size: f64, colour: &'static str, anchor: Anchor) -> Type {
    Type { size, colour, anchor, is_bold: false }
}

impl Figure {
    /// As SVG.
    pub(super) fn svg(&self) -> String {
        let columns = self.panels.len().clamp(1, COLUMNS_MAX);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let width = if columns == 1 { ALONE } else { PANEL.0 };
        let legend = self.legend(width * columns as f64);
        let head = legend.last().map_or(HEAD, |(_, (_, y))| y + UNDER_LEGEND);
        let mut picture = Picture::new(width * columns as f64, head + PANEL.1 * rows as f64);
        let title = Type { is_bold: true, ..look(17.0, INK, Anchor::Start) };
        picture.text((MARGIN, 28.0), &self.title, title);
        picture.text((MARGIN, 48.0), &self.subtitle, look(12.0, PALE, Anchor::Start));
        for (name, (x, y)) in &legend {
            picture.line(&[(*x, *y), (x + 22.0, *y)], colour_of(name), 2.5, "");
            picture.dot((x + 11.0, *y), 4.0, colour_of(name));
            picture.text((x + 28.0, y + 4.0), name, look(12.5, INK, Anchor::Start));
        }
        for (index, panel) in self.panels.iter().enumerate() {
            let corner = (width * (index % columns) as f64, head + PANEL.1 * (index / columns) as f64);
            panel.draw(&mut picture, corner, width);
        }
        picture.finish(&self.title)
    }

    /// Where the name of each system stands, in as many rows as `width` makes of them.
    fn legend(&self, width: f64) -> Vec<(&str, (f64, f64))> {
        let names = self.panels.iter().flat_map(|panel| &panel.series).map(|series| series.name.as_str());
        let (mut x, mut y) = (MARGIN, HEAD - UNDER_LEGEND);
        let mut places = Vec::new();
        for name in distinct(names) {
            let wide = 52.0 + 6.6 * name.chars().count() as f64;
            if x + wide > width && x > MARGIN {
                (x, y) = (MARGIN, y + 20.0);
            }
            places.push((name, (x, y)));
            x += wide;
        }
        places
    }
}

/// Where numbers are in a picture.
struct Field {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Ruler,
    y: Ruler,
}

impl Field {
    fn across(&self, number: f64) -> f64 {
        self.left + (self.right - self.left) * self.x.share(number)
    }

    fn up(&self, number: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * self.y.share(number)
    }
}

impl Panel {
    fn draw(&self, picture: &mut Picture, (left, top): (f64, f64), width: f64) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let field = Field {
            left: left + MARGIN_LEFT,
            right: left + width - MARGIN_RIGHT,
            top: top + MARGIN_TOP,
            bottom: top + PANEL.1 - MARGIN_BOTTOM,
            x: self.x.over(points().flat_map(|point| point.x)),
            y: self.y.over(points().flat_map(|point| point.y)),
        };
        self.frame(picture, &field);
        if let Some((at, what)) = &self.mark {
            let x = field.across(*at);
            picture.line(&[(x, field.top - 14.0), (x, field.bottom)], ALARM, 1.2, "4 3");
            picture.text((x + 6.0, field.top - 6.0), what, look(11.5, ALARM, Anchor::Start));
        }
        for (index, series) in self.series.iter().enumerate() {
            match self.style {
                Style::Dots => dots(picture, &field, series),
                Style::Band => band(picture, &field, series),
                Style::Columns => columns(picture, &field, series, (index, self.series.len())),
            }
        }
    }

    fn frame(&self, picture: &mut Picture, field: &Field) {
        let Field { left, right, top, bottom, .. } = *field;
        let title = Type { is_bold: true, ..look(13.0, INK, Anchor::Start) };
        picture.text((left, top - 12.0), &self.title, title);
        for (at, text) in &field.y.ticks {
            let y = field.up(*at);
            picture.line(&[(left, y), (right, y)], GRID, 1.0, "");
            picture.text((left - 8.0, y + 4.0), text, look(11.0, PALE, Anchor::End));
        }
        let is_named = matches!(self.x.scale, Scale::Names(_));
        for (at, text) in &field.x.ticks {
            let x = field.across(*at);
            if !is_named {
                picture.line(&[(x, top), (x, bottom)], GRID, 1.0, "");
            }
            picture.text((x, bottom + 17.0), text, look(11.0, PALE, Anchor::Middle));
        }
        picture.line(&[(left, top), (left, bottom), (right, bottom)], PALE, 1.2, "");
        let middle = ((left + right) / 2.0, bottom + 40.0);
        picture.text(middle, self.x.label, look(12.0, INK, Anchor::Middle));
        let side = (left - 58.0, (top + bottom) / 2.0);
        picture.turned_text(side, self.y.label, look(12.0, INK, Anchor::Middle), -90.0);
    }
}

fn dots(picture: &mut Picture, field: &Field, series: &Series) {
    let colour = colour_of(&series.name);
    let middle = |point: &Point| (field.across(point.x[1]), field.up(point.y[1]));
    let path: Vec<(f64, f64)> = series.points.iter().map(middle).collect();
    picture.line(&path, colour, 2.0, "");
    for point in &series.points {
        let (x, y) = middle(point);
        whisker(picture, field, x, &point.y, colour);
        if point.x[0] < point.x[2] {
            picture.line(&[(field.across(point.x[0]), y), (field.across(point.x[2]), y)], colour, 1.0, "");
        }
        picture.dot((x, y), 4.0, colour);
        if !point.note.is_empty() {
            picture.text((x + 6.0, y - 6.0), &point.note, look(10.0, PALE, Anchor::Start));
        }
    }
}

fn whisker(picture: &mut Picture, field: &Field, x: f64, y: &[f64; 3], colour: &str) {
    let (low, high) = (field.up(y[0]), field.up(y[2]));
    picture.line(&[(x, low), (x, high)], colour, 1.0, "");
    for end in [low, high] {
        picture.line(&[(x - 3.0, end), (x + 3.0, end)], colour, 1.0, "");
    }
}

fn band(picture: &mut Picture, field: &Field, series: &Series) {
    let colour = colour_of(&series.name);
    let along = |which: usize| {
        let place = move |point: &Point| (field.across(point.x[1]), field.up(point.y[which]));
        series.points.iter().map(place).collect::<Vec<_>>()
    };
    let mut around = along(0);
    around.extend(along(2).into_iter().rev());
    picture.shape(&around, colour, 0.15);
    picture.line(&along(1), colour, 2.0, "");
}

fn columns(picture: &mut Picture, field: &Field, series: &Series, (index, count): (usize, usize)) {
    let colour = colour_of(&series.name);
    let places = field.x.ticks.len().max(1) as f64;
    let width = (field.right - field.left) / places * 0.8 / count.max(1) as f64;
    for point in &series.points {
        let left = field.across(point.x[1]) + width * (index as f64 - count as f64 / 2.0);
        let (low, high) = (field.bottom, field.up(point.y[1]));
        let right = left + width * 0.9;
        picture.shape(&[(left, low), (left, high), (right, high), (right, low)], colour, 1.0);
        whisker(picture, field, (left + right) / 2.0, &point.y, INK);
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Unit;
    use super::*;

    #[test]
    fn names_that_do_not_fit_go_into_the_next_row() {
        let axis = Axis { label: "", scale: Scale::Linear, unit: Unit::Count, only: Vec::new() };
        let series = COLOURS.map(|(name, _)| Series { name: name.to_string(), points: Vec::new() }).to_vec();
        let (title, x, y) = (String::new(), axis.clone(), axis);
        let panel = Panel { title: title.clone(), x, y, style: Style::Dots, series, mark: None };
        let figure = Figure { title, subtitle: String::new(), panels: vec![panel.clone(), panel] };
        let places = figure.legend(ALONE);
        assert_eq!(places.len(), COLOURS.len(), "each once");
        assert!(places.iter().all(|(name, (x, _))| x + 28.0 + 6.6 * name.len() as f64 <= ALONE));
        assert!(places.first().map(|(_, (_, y))| *y) < places.last().map(|(_, (_, y))| *y));
    }
}
