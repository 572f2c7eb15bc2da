//! A picture in SVG: lines, shapes and text, and nothing that moves.
//!
//! Numbers are written with one digit after the point, so that a picture is small and the same numbers give the same bytes.

use core::fmt::Write as _;

/// How text stands to its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture that is being drawn.
pub(super) struct Picture {
    width: f64,
    height: f64,
    body: String,
}

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) colour: &'static str,
    pub(super) anchor: Anchor,
    pub(super) is_bold: bool,
}

impl Picture {
    /// An empty one on white.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Picture { width, height, body: String::new() }
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64, dashes: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        let _ = writeln!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\"{dashes}/>",
            path.join(" ")
        );
    }

    /// A filled shape.
    pub(super) fn shape(&mut self, points: &[(f64, f64)], colour: &str, opacity: f64) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        let _ =
            writeln!(self.body, "<polygon points=\"{path}\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>");
    }

    /// A dot with a white rim.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"1\"/>"
        );
    }

    /// Text at a place.
    pub(super) fn text(&mut self, at: (f64, f64), text: &str, look: Type) {
        self.turned_text(at, text, look, 0.0);
    }

    /// Text that is turned about its place, by degrees.
    pub(super) fn turned_text(&mut self, (x, y): (f64, f64), text: &str, look: Type, degrees: f64) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = match degrees {
            0.0 => String::new(),
            _ => format!(" transform=\"rotate({degrees} {x:.1} {y:.1})\""),
        };
        let weight = if look.is_bold { " font-weight=\"600\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"{weight}{turn}>{}</text>",
            look.size,
            look.colour,
            escaped(text)
        );
    }

    /// The whole picture, which is about `title`.
    pub(super) fn finish(self, title: &str) -> String {
        let Picture { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n\
             <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n",
            escaped(title)
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_markup_only_where_it_should_be() {
        let mut picture = Picture::new(100.0, 50.0);
        let look = Type { size: 10.0, colour: "#000", anchor: Anchor::Middle, is_bold: true };
        picture.turned_text((1.0, 2.0), "a < b & c", look, -90.0);
        picture.line(&[(0.0, 0.0), (1.25, 2.0)], "#000", 1.0, "3 3");
        let text = picture.finish("<title>");
        assert!(
            text.contains(">a &lt; b &amp; c</text>") && text.contains("<title>&lt;title&gt;</title>"),
            "{text}"
        );
        assert!(
            text.contains("rotate(-90 1.0 2.0)") && text.contains("points=\"0.0,0.0 1.2,2.0\""),
            "{text}"
        );
    }
}
