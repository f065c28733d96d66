#!/bin/sh
# Runs the gate on a clear and on a blocked suite of recorded sessions, and ends
# with 0 only if the gate decided both rightly. PYTEST names the pytest to use.
set -u
cd "$(dirname "$0")" || exit 1
: "${PYTEST:=pytest}"
# Reordering and a cache would only make the two runs harder to read.
PYTEST_ADDOPTS="-p no:randomly -p no:cacheprovider"
export PYTEST_ADDOPTS
wrong=0

explain() {
    printf '\n'
    printf '# %s\n' "$@"
}

gate() { # SUITE STATUS FINAL-LINE
    printf '\n$ pytest -q --recon-session=%s\n' "$1"
    output=$("$PYTEST" -q --color=no "--recon-session=$1" 2>&1)
    status=$?
    printf '%s\n$ echo $?\n%s\n' "$output" "$status"
    if [ "$status" -ne "$2" ]; then
        echo "demo: expected exit status $2, got $status" >&2
        wrong=1
    elif ! printf '%s\n' "$output" | grep -q "^RECON: $3 "; then
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
    "A blocked suite: one session is fine, in one the exchange took a fee that the" \
    "ledger does not know (cash 5000.00 against 4995.00: FAIL), in one a fill was" \
    "lost (1.0 against 0.95 ETH: FAIL), and one file is cut off (CRITICAL, because" \
    "what cannot be read cannot be judged). Each alone blocks: the exit status is 1."
gate suite/blocked 1 BLOCKED

[ "$wrong" -eq 0 ] || exit 1
printf '\ndemo: the clear suite passed with 0, the blocked suite was stopped with 1\n'
