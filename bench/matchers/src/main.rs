//! `varangian-matchers`: matchers of many literals on the literals of a rule file, beside ours, in turn.
//!
//! Upon the rules: the longest content of each enabled rule, grouped by buffer; the largest groups, and what else is
//! asked for. For each group and text: each matcher is built and timed; all search the text, piece by piece, in turns,
//! again and again; the best turn of each counts, and the median of the ratios to ours within the same turn, which a
//! busy machine moves less. All must find the same number of occurrences. A table in Markdown is printed.
//!
//! Not here: what a rule means, and any text or rule of its own.

#[cfg(feature = "hyperscan")]
mod hyperscan;
mod matcher;
mod rules;
mod text;

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use pattern::Pattern;
use rustix::time::{ClockId, clock_gettime};

use matcher::{ALL, Build, Matcher};

/// Measures matchers of many literals, in turn, on the literals of a rule file.
#[derive(Debug, Parser)]
#[command(name = "varangian-matchers", version)]
struct Options {
    /// The rule file.
    #[arg(long)]
    rules: PathBuf,
    /// What is searched: a capture, whose payload is taken, or any other file. Can be given more than once.
    #[arg(long, required = true)]
    text: Vec<PathBuf>,
    /// So many bytes of each text at most.
    #[arg(long, default_value_t = 16 << 20)]
    text_bytes: usize,
    /// How long a piece is that is searched at once. Can be given more than once.
    #[arg(long, default_values_t = [16_384])]
    piece_bytes: Vec<usize>,
    /// Buffers whose literals are looked for, or `all`. Can be given more than once [default: the five with the most,
    /// and all]
    #[arg(long)]
    buffer: Vec<String>,
    /// Leaves shorter literals out.
    #[arg(long, default_value_t = 1)]
    shortest: usize,
    /// Takes so many of the literals at most, evenly out of all; 0 for no limit.
    #[arg(long, default_value_t = 0)]
    patterns: usize,
    /// Matchers whose name begins with this, beside ours. Can be given more than once [default: all]
    #[arg(long)]
    matcher: Vec<String>,
    /// How often each of them searches the text.
    #[arg(long, default_value_t = 7)]
    turns: usize,
}

/// What came of one matcher.
struct Row {
    name: &'static str,
    matcher: Box<dyn Matcher>,
    build_ms: f64,
    seconds: Vec<f64>,
    hits: u64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let rules = read(&options.rules)?;
    let groups = groups(options, &String::from_utf8_lossy(&rules))?;
    println!(
        "| literals of | text | pieces | matcher | build ms | memory KiB | GB/s | of ours | occurrences |"
    );
    println!("| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for path in &options.text {
        let text = text::of_file(read(path)?, options.text_bytes);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (buffer, patterns) in &groups {
            for piece in &options.piece_bytes {
                let group = format!("{buffer}: {} | {name} | {piece}", patterns.len());
                measure(options, &group, patterns, &text, (*piece).max(1))?;
            }
        }
    }
    Ok(())
}

/// The groups of literals that are asked for.
fn groups(options: &Options, rules: &str) -> Result<Vec<(String, Vec<Pattern>)>, String> {
    let mut buffers = rules::literals(rules);
    let mut all: Vec<Pattern> = buffers.values().flatten().cloned().collect();
    all.sort();
    all.dedup();
    let mut wanted = options.buffer.clone();
    if wanted.is_empty() {
        let mut names: Vec<&String> = buffers.keys().collect();
        names.sort_by_key(|name| usize::MAX - buffers[*name].len());
        wanted = names.into_iter().take(5).cloned().collect();
        wanted.push("all".into());
    }
    buffers.insert("all".into(), all);
    let mut groups = Vec::new();
    for name in wanted {
        let mut patterns = buffers.remove(&name).ok_or_else(|| format!("no literal for a buffer {name}"))?;
        patterns.retain(|pattern| pattern.bytes.len() >= options.shortest);
        if options.patterns > 0 {
            let step = (patterns.len() / options.patterns).max(1);
            patterns = patterns.into_iter().step_by(step).take(options.patterns).collect();
        }
        let shortest =
            if options.shortest > 1 { format!(", {}+ bytes", options.shortest) } else { String::new() };
        groups.push((format!("{name}{shortest}"), patterns));
    }
    Ok(groups)
}

fn measure(
    options: &Options,
    group: &str,
    patterns: &[Pattern],
    text: &[u8],
    piece: usize,
) -> Result<(), String> {
    let is_wanted = |name: &str| {
        name == ALL[0].0
            || options.matcher.is_empty()
            || options.matcher.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut rows = Vec::new();
    for (name, build) in ALL.iter().filter(|(name, _)| is_wanted(name)) {
        match row(name, *build, patterns) {
            Ok(row) => rows.push(row),
            Err(error) => eprintln!("{group}: {name}: {error}"),
        }
    }
    for _ in 0..options.turns {
        for row in &mut rows {
            let started = processor_seconds();
            row.hits = text.chunks(piece).map(|piece| row.matcher.count(black_box(piece))).sum();
            row.seconds.push(processor_seconds() - started);
        }
    }
    let ours: Vec<f64> = rows.first().map(|row| row.seconds.clone()).unwrap_or_default();
    let hits = rows.first().map_or(0, |row| row.hits);
    for row in &rows {
        if row.hits != hits {
            return Err(format!("{group}: {} finds {} occurrences, ours {hits}", row.name, row.hits));
        }
        let best = row.seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let mut ratios: Vec<f64> =
            ours.iter().zip(&row.seconds).map(|(ours, theirs)| ours / theirs).collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "| {group} | {} | {:.1} | {} | {:.2} | {:.2} | {} |",
            row.name,
            row.build_ms,
            row.matcher.memory_bytes().div_ceil(1024),
            text.len() as f64 / best / 1e9,
            ratios.get(ratios.len() / 2).copied().unwrap_or_default(),
            row.hits
        );
    }
    Ok(())
}

/// The processor time of this thread: what others do on the machine in the meantime does not count.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Builds a matcher three times, and takes the fastest.
fn row(name: &'static str, build: Build, patterns: &[Pattern]) -> Result<Row, String> {
    let mut build_ms = f64::INFINITY;
    let mut matcher = None;
    for _ in 0..3 {
        drop(matcher.take());
        let started = processor_seconds();
        matcher = Some(build(patterns)?);
        build_ms = build_ms.min((processor_seconds() - started) * 1e3);
    }
    let matcher = matcher.ok_or("nothing was built")?;
    Ok(Row { name, matcher, build_ms, seconds: Vec::new(), hits: 0 })
}
