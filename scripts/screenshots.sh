#!/usr/bin/env bash
# Pictures of the screen for the documents, from real frames: a replay in tmux, captured, drawn as SVG.
#
#     scripts/screenshots.sh PROGRAM RUN [TRAINING]      # needs tmux and Python 3; RUN is a finished search, TRAINING a training
set -euo pipefail
program=$(realpath "$1") run=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../docs
session=nas-tui-pictures-$$
trap 'tmux kill-session -t "$session" 2>/dev/null || true' EXIT

training=$([ $# -lt 3 ] || realpath "$3")

# name, columns, rows, speed of the replay, seconds before the keys, keys, title
shot() {
  local name=$1 columns=$2 rows=$3 speed=$4 wait=$5 keys=$6 title=$7
  tmux new-session -d -s "$session" -x "$columns" -y "$rows" \
    "cd '$(dirname "$run")' && TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8 '$program' replay '$run' --speed $speed"
  sleep "$wait"
  # shellcheck disable=SC2086
  [ -z "$keys" ] || for key in $keys; do tmux send-keys -t "$session" "$key"; sleep 0.3; done
  sleep 1.5
  tmux capture-pane -ep -t "$session" | python3 "$here/ansi_to_svg.py" "$title" > "$out/$name.svg"
  tmux kill-session -t "$session"
}

shot screen 160 44 24 14 "" "nas-tui: a demo search"
shot screen-80x24 80 24 24 14 "" "nas-tui at 80 x 24"
shot chart 100 30 64 12 "2 f Left Left Left Left Left Left" "The chart with its crosshair"
shot controller 100 26 24 14 "4 Tab Tab Tab Tab Tab f" "The controller's policy"
shot children 100 30 64 12 "3 f" "All children"
shot pareto 100 30 64 12 "3 f p" "Accuracy against multiply-adds"
shot inspector 100 30 64 12 "b" "The best network as a graph"
shot what-if 100 30 64 12 "b Tab Tab Tab Tab Down Right Right +" "What if a gene were another?"

if [ -n "$training" ]; then
  run=$training
  shot training 160 44 4096 5 "" "nas-tui train: a network that a search found"
  shot training-curves 100 30 4096 5 "f Left Left Left Left" "The curves with their crosshair"
fi
