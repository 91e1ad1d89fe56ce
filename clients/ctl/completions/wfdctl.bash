# bash completion for wfdctl. To load it:  source <(wfdctl completion bash)
# Works with bash 3.2 and newer, and needs no other scripts.

_wfdctl() {
  local line word candidate breaks before=
  local -a words
  # Bash splits words at colons, which addresses contain, so split the line at spaces instead.
  line=${COMP_LINE:0:COMP_POINT}
  read -ra words <<<"$line"
  local index=$((${#words[@]} - 2))
  word=${words[${#words[@]} - 1]}
  if [[ $line == *[[:blank:]] ]]; then
    index=$((index + 1))
    word=
  fi
  # For bash the current word starts after the last of these, so a candidate must start there too.
  breaks=${COMP_WORDBREAKS//[^:=]/}
  if [[ -n $breaks && $word == *["$breaks"]* ]]; then before=${word%"${word##*["$breaks"]}"}; fi

  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    if [[ $candidate == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    COMPREPLY+=("${candidate#"$before"}")
  done < <("${words[0]/#\~/$HOME}" __complete "$index" "${words[@]:1}" 2>/dev/null)
}

complete -F _wfdctl wfdctl
