using System.Text.Json;

namespace Omium;

/// <summary>Which execution a program works on.</summary>
public sealed class RunOptions
{
    /// <summary>
    /// An execution to go on with: Omium's own id (<c>exe_...</c>), or any text of yours that always means the same one. Default: <c>OMIUM_EXECUTION_ID</c>, else a new
    /// execution.
    /// </summary>
    public string? ExecutionId { get; init; } = Environment.GetEnvironmentVariable("OMIUM_EXECUTION_ID") is { Length: > 0 } id ? id : null;

    /// <summary>Kept with the execution.</summary>
    public object? Input { get; init; }

    /// <summary>Recovery policy; default: the tenant's, else a failed step is an exception in the program.</summary>
    public JsonElement? Recovery { get; init; }
}
