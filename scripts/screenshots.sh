#!/usr/bin/env bash
# Pictures of the screen for the documents, from real frames: replays in tmux, in which the program writes what it shows (the key of
# `save_picture`). Those of a search show the one that is recorded in the program.
#
#     scripts/screenshots.sh PROGRAM [TRAINING]      # needs tmux; TRAINING is a training that is over
set -euo pipefail
program=$(realpath "$1")
out=$(cd "$(dirname "$0")/../docs" && pwd)
folder=$(mktemp -d)
# A server of its own, which outlives the sessions.
own() { tmux -L "nas-tui-pictures-$$" -f /dev/null "$@"; }
own start-server \; set-option -g exit-empty off
trap 'own kill-server || true; rm -r "$folder"' EXIT

# name, columns, rows, what is replayed, text to wait for, keys; the folder that pictures are written to
shot() {
  local name=$1 columns=$2 rows=$3 replay=$4 text=$5 keys=$6 pictures=${7:-$folder}
  own new-session -d -s "$name" -x "$columns" -y "$rows" -c "$folder" \
    "TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8 '$program' replay $replay"
  for _ in $(seq 600); do
    ! own capture-pane -p -t "$name" | grep -q "$text" || break
    sleep 0.1
  done
  for key in $keys; do own send-keys -t "$name" "$key"; sleep 0.3; done
  sleep 2.5
  touch "$folder/before"
  # Files of the same tick of the clock would have the same time.
  sleep 0.1
  own send-keys -t "$name" I
  for _ in $(seq 100); do
    # The name of a file is taken before its contents are there.
    picture=$(find "$pictures" -name '*.svg' -newer "$folder/before" -size +0 2>/dev/null | head -n 1 || true)
    [ -z "$picture" ] || break
    sleep 0.1
  done
  mv "$picture" "$out/$name.svg"
  own kill-session -t "$name"
}

shot screen 160 44 "--sample --speed 1" "child 11[4-6]/160" ""
shot screen-80x24 80 24 "--sample --speed 1" "child 11[4-6]/160" ""

end="--sample --speed 4096" over="REPLAY ENDED"
shot chart 100 30 "$end" "$over" "2 f Left Left Left Left Left Left"
shot controller 100 26 "$end" "$over" "2 Tab f"
shot children 100 30 "$end" "$over" "3 f"
shot pareto 100 30 "$end" "$over" "3 f p"
shot inspector 100 30 "$end" "$over" "b"
shot what-if 100 30 "$end" "$over" "b Tab Tab Tab Tab Down Right Right +"

if [ $# -ge 2 ]; then
  training=$(realpath "$2")
  replay="'$training' --speed 4096"
  shot training 160 44 "$replay" "$over" "" "$training/exports"
  shot training-curves 100 30 "$replay" "$over" "f Left Left Left Left" "$training/exports"
  rmdir --ignore-fail-on-non-empty "$training/exports"
fi
