#!/usr/bin/env bash
# The steps of the GitHub Action (action.yml): restores a ledger, syncs once, and keeps the ledger if
# anything changed. Works by hand too, with `repoledger` on the path:
#
#   REMOTE=/path/to/repository.git FOLDER="$(mktemp -d)" REPOLEDGER_TOKEN=... deploy/action.sh
#
# FOLDER: where the SQLite file and the branch are; empty or from an earlier run with KEEP=cache.
# KEEP: "branch" (text files in a branch of REMOTE) or "cache" (the SQLite file alone).
# BRANCH, HISTORY ("false": one commit, replaced each time), CONFIG (a config.toml): optional.
set -euo pipefail

: "${FOLDER:?}" "${REPOLEDGER_TOKEN:?the input token is empty: is the secret set?}"
keep=${KEEP:-branch} branch=${BRANCH:-ledger} tree=$FOLDER/branch ledger=$FOLDER/ledger.db
case $keep in
branch) : "${REMOTE:?}" ;;
cache) ;;
*) echo "keep must be \"branch\" or \"cache\", not \"$keep\"" >&2; exit 2 ;;
esac

export REPOLEDGER_DATABASE__URL="sqlite:///$ledger" REPOLEDGER_TOKEN
if [[ -n ${CONFIG:-} ]]; then
  export REPOLEDGER_CONFIG=$CONFIG
else
  export REPOLEDGER_ACCOUNTS__0__NAME=${ACCOUNT:-me} REPOLEDGER_ACCOUNTS__0__TOKEN_ENV=REPOLEDGER_TOKEN
fi

# A token for git goes by the environment: everybody sees the arguments of a process.
if [[ -n ${PUSH_TOKEN:-} && $keep == branch ]]; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$REMOTE.extraheader"
  GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$PUSH_TOKEN" | base64 -w 0)"
  export GIT_CONFIG_VALUE_0
fi
export GIT_TERMINAL_PROMPT=0

in_branch() { git -C "$tree" "$@"; }

restore_branch() {
  git init --quiet "$tree"
  in_branch remote add origin "$REMOTE"
  in_branch symbolic-ref HEAD "refs/heads/$branch"
  # The exit code 2 says that there is no such branch; any other failure must not begin a new ledger.
  local found=0
  in_branch ls-remote --exit-code --heads origin "refs/heads/$branch" > "$FOLDER/head" || found=$?
  ((found == 0 || found == 2)) || { echo "$REMOTE cannot be read" >&2; exit 1; }
  ((found == 0)) || return 0
  in_branch fetch --quiet --depth 1 origin "refs/heads/$branch"
  in_branch reset --quiet --hard FETCH_HEAD
  if [[ -e $tree/ledger/manifest.json ]]; then
    repoledger import "$tree/ledger" > "$FOLDER/imported"
  fi
}

# The files are compared, not the database's: those change with each run that opens them.
state_of() { [[ ! -e $1/manifest.json ]] || cat "$1/manifest.json"; }

push_branch() {
  local name=${GIT_AUTHOR_NAME:-repoledger} mail=${GIT_AUTHOR_EMAIL:-repoledger@users.noreply.github.com}
  local message force=()
  message="Ledger of $(date --utc '+%Y-%m-%d %H:%M UTC')"
  in_branch add --all ledger
  if [[ ${HISTORY:-true} == false && -s $FOLDER/head ]]; then
    # Replaces what the branch was, and nothing that another run has pushed meanwhile.
    force=("--force-with-lease=refs/heads/$branch:$(cut -f 1 "$FOLDER/head")")
    in_branch update-ref -d HEAD
  fi
  in_branch -c "user.name=$name" -c "user.email=$mail" commit --quiet --message "$message"
  in_branch push --quiet "${force[@]}" origin "HEAD:refs/heads/$branch"
}

[[ $keep == cache ]] || restore_branch
if [[ $keep == cache && -e $ledger ]]; then
  mkdir -p "$tree"
  repoledger export "$tree/ledger" > "$FOLDER/exported"
fi
before=$(state_of "$tree/ledger")

code=0
repoledger backfill --quiet-if-unchanged || code=$?

# Also after a failure: what was synced until then, and the failure itself, are worth keeping.
changed=false
if [[ -e $ledger ]]; then
  repoledger export "$tree/ledger" > "$FOLDER/exported"
  if [[ $before != "$(state_of "$tree/ledger")" ]]; then
    changed=true
    [[ $keep == cache ]] || push_branch
  fi
fi
if [[ $changed == true ]]; then echo "The ledger was kept."; else echo "Nothing changed."; fi
if [[ -n ${GITHUB_OUTPUT:-} ]]; then
  printf 'changed=%s\nledger=%s\n' "$changed" "$ledger" >> "$GITHUB_OUTPUT"
fi
if [[ -n ${GITHUB_STEP_SUMMARY:-} && $changed == true ]]; then
  repoledger digest --since 1d --format markdown >> "$GITHUB_STEP_SUMMARY" || true
fi
# Partial and deferred runs go on next time, and are no reason for a mail.
((code == 3 || code == 4)) && code=0
exit "$code"
