#!/usr/bin/env bash
# Pictures of the screen for the documents, from real frames: replays in tmux, captured, drawn as SVG. Those of a search show the
# one that is recorded in the program.
#
#     scripts/screenshots.sh PROGRAM [TRAINING]      # needs tmux and Python 3; TRAINING is a training that is over
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../docs
session=nas-tui-pictures-$$
folder=$(mktemp -d)
trap 'tmux kill-session -t "$session" 2>/dev/null || true; rmdir "$folder"' EXIT

# name, columns, rows, what is replayed, text to wait for, keys, title
shot() {
  local name=$1 columns=$2 rows=$3 replay=$4 text=$5 keys=$6 title=$7
  tmux new-session -d -s "$session" -x "$columns" -y "$rows" -c "$folder" \
    "TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8 '$program' replay $replay"
  for _ in $(seq 600); do
    ! tmux capture-pane -p -t "$session" | grep -q "$text" || break
    sleep 0.1
  done
  for key in $keys; do tmux send-keys -t "$session" "$key"; sleep 0.3; done
  sleep 2.5
  tmux capture-pane -ep -t "$session" | python3 "$here/ansi_to_svg.py" "$title" > "$out/$name.svg"
  tmux kill-session -t "$session"
}

shot screen 160 44 --sample "child 10[5-9]/160" "" "nas-tui: a demo search"
shot screen-80x24 80 24 --sample "child 10[5-9]/160" "" "nas-tui at 80 x 24"

end="--sample --speed 4096" over="REPLAY ENDED"
shot chart 100 30 "$end" "$over" "2 f Left Left Left Left Left Left" "The chart with its crosshair"
shot controller 100 26 "$end" "$over" "4 Tab Tab Tab Tab Tab f" "The controller's policy"
shot children 100 30 "$end" "$over" "3 f" "All children"
shot pareto 100 30 "$end" "$over" "3 f p" "Accuracy against multiply-adds"
shot inspector 100 30 "$end" "$over" "b" "The best network as a graph"
shot what-if 100 30 "$end" "$over" "b Tab Tab Tab Tab Down Right Right +" "What if a gene were another?"

if [ $# -ge 2 ]; then
  training="'$(realpath "$2")' --speed 4096"
  shot training 160 44 "$training" "$over" "" "nas-tui train: a network that a search found"
  shot training-curves 100 30 "$training" "$over" "f Left Left Left Left" "The curves with their crosshair"
fi
