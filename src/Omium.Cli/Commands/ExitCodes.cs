namespace Omium.Cli.Commands;

/// <summary>What the program's exit code says; the same in every command and in the Python command of the same name.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>An error: the server cannot be reached, a file cannot be read, a check did not hold.</summary>
    public const int Error = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 2;

    /// <summary>The execution failed or was cancelled.</summary>
    public const int ExecutionFailed = 3;

    /// <summary>The execution waits for a person.</summary>
    public const int WaitingForPerson = 4;

    /// <summary>The key does not allow it, or policy forbids it.</summary>
    public const int NotAllowed = 5;

    /// <summary>Out of credits.</summary>
    public const int OutOfCredits = 6;
}
