# What both scripts of this folder need to write into docs/benchmarks.md. Sourced, not run; `page` is the file.

# Where it was measured, `$1`: before what the load was taken, or what else is to be said.
about() {
    printf 'Measured on %s processors (%s), ' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
    printf 'Linux %s, ' "$(uname -r)"
    printf 'where %s threads wanted to run on average in the minute before%s.\n' "$(cut -d' ' -f1 /proc/loadavg)" "$1"
}

# Puts standard input between the markers of a part.
replace() {
    grep -qxF "<!-- measured: $1 -->" "$page" || { echo "$page has no place for $1" >&2; return 1; }
    awk -v begin="<!-- measured: $1 -->" '
        NR == FNR { text = text $0 "\n"; next }
        $0 == begin { print; printf "%s", text; inside = 1; next }
        $0 == "<!-- end -->" { inside = 0 }
        !inside
    ' - "$page" >"$page.new"
    mv "$page.new" "$page"
}
