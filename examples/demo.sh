#!/bin/sh
# Runs the gate on a clear suite and on a session that lost a fill, and writes what would
# repair it. Ends with 0 only if the gate decided both rightly and the repair was found.
# PYTEST and RECON name the commands to use, COLOR says yes, no or auto.
set -u
cd "$(dirname "$0")" || exit 1
: "${PYTEST:=pytest}"
: "${RECON:=recon}"
: "${COLOR:=auto}"
if [ "$COLOR" = auto ]; then
    COLOR=no
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then COLOR=yes; fi
fi
# Reordering and a cache would only make the runs harder to read.
PYTEST_ADDOPTS="-p no:randomly -p no:cacheprovider"
export PYTEST_ADDOPTS
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
escape=$(printf '\033')
wrong=0

explain() {
    printf '\n'
    printf '# %s\n' "$@"
}

gate() { # SUITE STATUS FINAL-LINE
    printf '\n$ pytest -q --recon-session=%s\n' "$1"
    output=$("$PYTEST" -q "--color=$COLOR" "--recon-session=$1" 2>&1)
    status=$?
    printf '%s\n$ echo $?\n%s\n' "$output" "$status"
    if [ "$status" -ne "$2" ]; then
        echo "demo: expected exit status $2, got $status" >&2
        wrong=1
    elif ! printf '%s\n' "$output" | sed "s/$escape\[[0-9;]*m//g" | grep -q "^RECON: $3 "; then
        echo "demo: expected a line that starts with RECON: $3" >&2
        wrong=1
    fi
}

explain \
    "A clear suite: four recorded sessions, ledger against paper account." \
    "One matches exactly, one is replayed from its fills, one is off by a rounding" \
    "(INFO), one drifts by 0.5 % (WARN). None of that blocks: the exit status is 0."
gate suite/clear 0 CLEAR

explain \
    "A session in which the ledger lost a fill. The books prove it: side, quantity, price" \
    "and fee follow from the position and the cash of the exchange. A FAIL blocks the" \
    "deployment: the exit status is 1."
gate explain/lost_fill.recon.json 1 BLOCKED

explain "The entry that would repair the ledger, proven by reconciling a copy."
printf '\n$ recon repair explain/lost_fill.recon.json -o repair.json\n'
if ! (cd "$directory" && "$RECON" repair "$OLDPWD/explain/lost_fill.recon.json" -o repair.json); then
    echo "demo: expected a repair" >&2
    wrong=1
fi

[ "$wrong" -eq 0 ] || exit 1
printf '\ndemo: the clear suite passed with 0, the lost fill was stopped with 1 and repaired\n'
