#!/usr/bin/env bash
# The life of a job, with curl alone, at any service of the fine-tuning API:
#
#   OPENAI_BASE_URL=http://127.0.0.1:8321/v1 OPENAI_API_KEY=… life.sh [LARGE.jsonl]
#
# The local service is started with --speed 0.1 for it: a job has to be running still when it is looked at and paused.
# Where the service is paid this costs what two short runs of reinforcement fine-tuning cost. LARGE.jsonl goes up in
# parts of PART_MB. OPENAI_ADMIN_KEY grants permissions; without it the key does. LOOK_EVERY is how many seconds pass
# between two looks at a job. Says "ok" for every step; ends with 1 at the first that is not.
set -euo pipefail

url="${OPENAI_BASE_URL:?}" key="${OPENAI_API_KEY:?}"
admin="${OPENAI_ADMIN_KEY:-$key}"
model="${MODEL:-o4-mini-2025-04-16}" part_mb="${PART_MB:-64}" look_every="${LOOK_EVERY:-5}"
large="${1:-}"
mark="life-$$-$(date +%s)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

step="begin"
fail() { echo "not ok - $step: $*" >&2; exit 1; }
ok() { echo "ok - $step"; }

# ask METHOD PATH [CURL OPTIONS]: the reply's body in $reply; a reply of 400 or more ends the life. The key goes through
# a file descriptor: arguments can be read by every user of the machine.
ask() {
  local method="$1" path="$2" status
  shift 2
  status="$(curl -sS -o "$work/reply" -w '%{http_code}' -X "$method" "$url$path" "$@" \
    -K <(printf 'header = "Authorization: Bearer %s"\n' "${as:-$key}"))" || fail "no answer to $method $path"
  reply="$(cat "$work/reply")"
  [[ $status -lt 400 ]] || fail "$method $path answered $status: $reply"
}
post() { ask POST "$1" -H 'Content-Type: application/json' -d "$2"; }
# The value of a text field, the first in the reply with this name; every one, each on its line.
text() { texts "$1" | head -n 1; }
texts() { grep -oE "\"$1\": *\"[^\"]*\"" <<<"$reply" | sed -E 's/^"[^"]*": *"(.*)"$/\1/' || true; }
says() { [[ $(text "$1") == "$2" ]] || fail "$1 is \"$(text "$1")\", not \"$2\""; }
has_more() { grep -qE '"has_more": *true' <<<"$reply"; }
look_again() { [[ $look_every == 0 ]] || sleep "$look_every"; }
status_of() { ask GET "/fine_tuning/jobs/$1"; text status; }

rows() { # FIRST COUNT
  local n answers=(yes no)
  for ((n = $1; n < $1 + $2; n++)); do
    printf '{"messages": [{"role": "user", "content": "%s: is %d even?"}], "answer": "%s"}\n' "$mark" "$n" "${answers[n % 2]}"
  done
}

upload() { # FILE: its id in $id
  ask POST /files -F purpose=fine-tune -F "file=@$1;type=application/jsonl"
  [[ $reply =~ \"bytes\":\ *$(wc -c <"$1" | tr -d ' ')[,}] ]] || fail "it has another size: $reply"
  id="$(text id)"
}

create() { # NAME: its id in $id
  post /fine_tuning/jobs '{"model": "'"$model"'", "training_file": "'"$train"'", "validation_file": "'"$valid"'",
    "seed": 7, "suffix": "life", "metadata": {"life": "'"$mark"'", "name": "'"$1"'"},
    "method": {"type": "reinforcement", "reinforcement": {
      "grader": {"type": "string_check", "name": "answer", "operation": "eq",
        "input": "{{sample.output_text}}", "reference": "{{item.answer}}"},
      "hyperparameters": {"n_epochs": 1, "reasoning_effort": "low"}}}}'
  id="$(text id)"
}

step="small files are uploaded"
rows 0 40 >"$work/train.jsonl"
rows 40 10 >"$work/valid.jsonl"
upload "$work/train.jsonl" && train="$id"
upload "$work/valid.jsonl" && valid="$id"
ok

step="a large file is uploaded in parts, side by side"
if [[ -n $large ]]; then
  size="$(wc -c <"$large" | tr -d ' ')"
  post /uploads '{"filename": "large.jsonl", "purpose": "fine-tune", "mime_type": "text/jsonl", "bytes": '"$size"'}'
  upload_id="$(text id)"
  split -b "${part_mb}M" "$large" "$work/part-"
  sending=()
  for part in "$work"/part-*; do
    (work="$(mktemp -d "$work/one-XXXX")" && ask POST "/uploads/$upload_id/parts" -F "data=@$part" && text id >"$part.id") &
    sending+=($!)
  done
  for one in "${sending[@]}"; do wait "$one" || fail "a part was not taken"; done
  ids="$(cat "$work"/part-*.id | sed 's/.*/"&"/' | paste -sd, -)"
  md5="$(md5sum "$large" | cut -d ' ' -f 1)"
  rm "$work"/part-*
  post "/uploads/$upload_id/complete" '{"part_ids": ['"$ids"'], "md5": "'"$md5"'"}'
  grep -qE '"status": *"completed"' <<<"$reply" || fail "$reply"
  uploaded="$(texts id | grep '^file-' | head -n 1)"
  ask GET "/files/$uploaded"
  [[ $reply =~ \"bytes\":\ *$size[,}] ]] || fail "it has another size: $reply"
  ask DELETE "/files/$uploaded"
  ok
else
  echo "skipped - $step: no file is given"
fi

step="a job is created"
create first
job="$id"
ok

step="jobs are listed by metadata"
ask GET "/fine_tuning/jobs" -G --data-urlencode "metadata[life]=$mark"
[[ $(texts id | grep -c '^ftjob-') == 1 ]] || fail "$reply"
says id "$job"
ask GET "/fine_tuning/jobs" -G --data-urlencode "metadata[life]=not-$mark"
[[ -z $(texts id) ]] || fail "$reply"
ok

step="events are followed, page by page"
while :; do
  ask GET "/fine_tuning/jobs/$job/events?limit=2"
  pages="$reply" events="$(texts id | grep '^ftevent-')"
  while has_more; do
    ask GET "/fine_tuning/jobs/$job/events?limit=2&after=$(tail -n 1 <<<"$events")"
    pages+="$reply" events+=$'\n'"$(texts id | grep '^ftevent-')"
  done
  [[ -z $(sort <<<"$events" | uniq -d) ]] || fail "an event came twice"
  grep -qE '"type": *"metrics"' <<<"$pages" && break
  case "$(status_of "$job")" in succeeded | failed | cancelled) fail "the job has ended: $reply" ;; esac
  look_again
done
ok

step="the job is paused"
post "/fine_tuning/jobs/$job/pause" ''
until [[ $(status_of "$job") == paused ]]; do look_again; done
ok

step="the job is resumed, and succeeds"
post "/fine_tuning/jobs/$job/resume" ''
until [[ $(status_of "$job") == succeeded ]]; do
  case "$(status_of "$job")" in failed | cancelled) fail "the job has ended otherwise" ;; esac
  look_again
done
ask GET "/fine_tuning/jobs/$job"
tuned="$(text fine_tuned_model)"
[[ $tuned == ft:* ]] || fail "$reply"
ok

step="checkpoints are listed"
ask GET "/fine_tuning/jobs/$job/checkpoints"
checkpoint="$(texts fine_tuned_model_checkpoint | tail -n 1)"
[[ $checkpoint == ft:* ]] || fail "$reply"
ok

step="a permission is granted and revoked"
as="$admin" post "/fine_tuning/checkpoints/$checkpoint/permissions" '{"project_ids": ["proj_life"]}'
permission="$(texts id | grep '^cp_' | head -n 1)"
as="$admin" ask DELETE "/fine_tuning/checkpoints/$checkpoint/permissions/$permission"
as="$admin" ask GET "/fine_tuning/checkpoints/$checkpoint/permissions"
grep -q "$permission" <<<"$reply" && fail "it is still there"
ok

step="the model answers"
post /chat/completions '{"model": "'"$tuned"'", "messages": [{"role": "user", "content": "'"$mark"': is 2 even?"}]}'
grep -qE '"content": *"' <<<"$reply" || fail "$reply"
ok

step="another job is cancelled"
create second
post "/fine_tuning/jobs/$id/cancel" ''
says status cancelled
ok

step="model and files are deleted"
ask DELETE "/models/$checkpoint"
for file in "$train" "$valid"; do ask DELETE "/files/$file"; done
grep -qE '"deleted": *true' <<<"$reply" || fail "$reply"
ok
