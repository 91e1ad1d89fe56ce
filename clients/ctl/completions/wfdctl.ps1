# PowerShell completion for wfdctl, for Windows PowerShell 5.1 and PowerShell 7. To load it:
#   wfdctl completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'wfdctl', 'wfdctl.cmd' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $program = $elements[0].Extent.Text
    $words = @($elements | Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text })
    # After a space the word is empty. Windows PowerShell drops empty arguments, so pass its index.
    $index = $words.Count
    if ($wordToComplete -ne '') { $index -= 1 }

    $encoding = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
        $lines = @(& $program __complete $index @words 2>$null)
    }
    finally {
        [Console]::OutputEncoding = $encoding
    }

    foreach ($line in $lines) {
        # PowerShell completes file names if there are no results.
        if ($line -eq ':files') { return }
        $value, $description = $line -split "`t", 2
        if (-not $description) { $description = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
    }
}
