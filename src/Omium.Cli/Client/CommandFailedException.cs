namespace Omium.Cli.Client;

/// <summary>A command cannot do what was asked; the message is for the person who typed it.</summary>
/// <param name="exitCode">One of <see cref="Commands.ExitCodes"/>.</param>
/// <param name="message">What happened and what to do.</param>
internal sealed class CommandFailedException(int exitCode, string message) : Exception(message)
{
    /// <summary>What the program ends with.</summary>
    public int ExitCode { get; } = exitCode;
}
