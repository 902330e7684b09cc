# Makes doxygen's comments of the plain text of include/rialto.h: its opening is the main page, its banners are groups,
# "Returns     ..." and the like are @return, @par and @param, names are links.

BEGIN {
    while ((getline line < ARGV[1]) > 0)
        if (match(line, /^#define RIALTO_[A-Z0-9_]+/)) known[substr(line, 9, RLENGTH - 8)]
        else if (match(line, /^} rialto_[a-z0-9_]+;$/)) known[substr(line, 3, RLENGTH - 3)]
        else if (match(line, /^[a-z].*[ *]rialto_[a-z0-9_]+[(;]/)) {
            sub(/[(;].*/, "", line); sub(/.*[ *]/, "", line); known[line]
        }
    opening = 1
}

# Names of what there is become links.
function linked(text,    out, word) {
    out = ""
    gsub(/#/, "\\#", text)
    while (match(text, /(RIALTO|rialto)_[A-Za-z0-9_]+/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out substr(text, 1, RSTART - 1) (word in known ? "#" : "") word
        text = substr(text, RSTART + RLENGTH)
    }
    gsub(/ _/, " \\_", text)
    return out text
}

# "Blocks:" stands behind "Concurrency", and is a paragraph of its own.
function blocks(text) { sub(/ *Blocks: /, "\n * @par Blocks\n * ", text); return text }

function close_section() { if (section) print "/** @} */"; section = 0 }
function close_part() { close_section(); if (part) print "/** @} */"; part = 0 }
function group(name, title) { print "/** @defgroup " name " " title; print " * @{ */" }

opening && NR == 1 { print "/** @mainpage Rialto for C"; next }
opening && /^ \*\/$/ { if (example) print " * @endcode"; print; opening = 0; next }
opening && /^ \* [A-Z][A-Z ]+$/ {
    if (example) print " * @endcode"
    list = /CONTENTS/; example = /A WORKER|A POOL/
    print " * @section opening" ++headings " " substr($0, 4)
    if (example) print " * @code{.c}"
    next
}
opening && example { sub(/^ \*   /, " * "); print; next }
opening && list && /^ \*     / { sub(/^ \*     /, ""); name = $1; sub(/^[^ ]+ +/, ""); print " *   - " linked(name) ": " $0; next }
opening && list && /^ \*   / { print " * - " substr($0, 6); next }
opening { print linked($0); next }

/^\/\* ==== / { close_part(); gsub(/^\/\* ==== | =+ \*\/$/, ""); group("part" ++parts_so_far, $0); part = 1; next }
/^\/\* ---- / {
    close_section(); gsub(/^\/\* ---- | -+ \*\/$/, ""); name = $1; if (!sub(/_t:$/, "", name)) sub(/:/, "_group", name)
    group(name, $0); section = 1; next
}
/^#endif \/\* RIALTO_H \*\/$/ { close_part() }

/^ *\/\*\*/ { comment = 1; parts = 0 }
comment && /^ \*$/ { if (prose) parts = 1; print; next }
comment && parts && /^ \* [^ ]/ {
    text = substr($0, 4)
    if (match(text, /^(Returns|Concurrency|Signals|If we die|Since) +/)) {
        label = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1); sub(/ +$/, "", label)
        if (label == "Returns") print " * @return " linked(text)
        else if (label == "Since") print " * @since " text
        else { print " * @par " label; print " * " blocks(linked(text)) }
    } else if (match(text, /^[a-z_0-9]+(, [a-z_0-9]+)*( +|$)/) && (RLENGTH == 12 || RLENGTH == length(text))) {
        label = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1)
        sub(/ +$/, "", label); gsub(/, /, ",", label)
        print " * @param " label " " linked(text)
    } else print linked($0)
    next
}
comment { prose = 1; print blocks(linked($0)); if (/\*\/$/) { comment = 0; prose = 0 } next }
{ print }
