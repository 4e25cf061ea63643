#!/usr/bin/env bash
# Pictures of the screen for the documents, from real frames: replays in tmux, captured, drawn as SVG. Those of a search show the
# one that is recorded in the program.
#
#     scripts/screenshots.sh PROGRAM [TRAINING]      # needs tmux and Python 3; TRAINING is a training that is over
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../docs
folder=$(mktemp -d)
# A server of its own, which outlives the sessions.
own() { tmux -L "nas-tui-pictures-$$" -f /dev/null "$@"; }
own start-server \; set-option -g exit-empty off
trap 'own kill-server || true; rmdir "$folder"' EXIT

# name, columns, rows, what is replayed, text to wait for, keys, title
shot() {
  local name=$1 columns=$2 rows=$3 replay=$4 text=$5 keys=$6 title=$7
  own new-session -d -s "$name" -x "$columns" -y "$rows" -c "$folder" \
    "TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8 '$program' replay $replay"
  for _ in $(seq 600); do
    ! own capture-pane -p -t "$name" | grep -q "$text" || break
    sleep 0.1
  done
  for key in $keys; do own send-keys -t "$name" "$key"; sleep 0.3; done
  sleep 2.5
  own capture-pane -ep -t "$name" | python3 "$here/ansi_to_svg.py" "$title" > "$out/$name.svg"
  own kill-session -t "$name"
}

shot screen 160 44 --sample "child 11[4-6]/160" "" "nas-tui: a demo search"
shot screen-80x24 80 24 --sample "child 11[4-6]/160" "" "nas-tui at 80 x 24"

end="--sample --speed 4096" over="REPLAY ENDED"
shot chart 100 30 "$end" "$over" "2 f Left Left Left Left Left Left" "The chart with its crosshair"
shot controller 100 26 "$end" "$over" "2 Tab f" "The controller's policy"
shot children 100 30 "$end" "$over" "3 f" "All children"
shot pareto 100 30 "$end" "$over" "3 f p" "Accuracy against multiply-adds"
shot inspector 100 30 "$end" "$over" "b" "The best network as a graph"
shot what-if 100 30 "$end" "$over" "b Tab Tab Tab Tab Down Right Right +" "What if a gene were another?"

if [ $# -ge 2 ]; then
  training="'$(realpath "$2")' --speed 4096"
  shot training 160 44 "$training" "$over" "" "nas-tui train: a network that a search found"
  shot training-curves 100 30 "$training" "$over" "f Left Left Left Left" "The curves with their crosshair"
fi
