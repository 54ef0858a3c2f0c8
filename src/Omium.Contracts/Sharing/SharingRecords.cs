using System.Text.Json;

namespace Omium.Contracts.Sharing;

/// <summary>Who holds and who waits under one root.</summary>
public sealed record RootView
{
    /// <summary>The root: the first two segments of a scope.</summary>
    public required string Root { get; init; }

    /// <summary>Who holds, the oldest grant first.</summary>
    public required IReadOnlyList<LockView> Holders { get; init; }

    /// <summary>Who waits, in the order they will be served.</summary>
    public required IReadOnlyList<LockView> Queue { get; init; }
}

/// <summary>A lock that is held or waited for.</summary>
public sealed record LockView
{
    /// <summary>Execution.</summary>
    public required string Execution { get; init; }

    /// <summary>Step.</summary>
    public required string Step { get; init; }

    /// <summary>Visit of the step.</summary>
    public required int Visit { get; init; }

    /// <summary>Scopes.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Fencing token; null while waiting.</summary>
    public long? Token { get; init; }

    /// <summary>Granted or waiting since.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The same as an age, in milliseconds.</summary>
    public required long AgeMs { get; init; }

    /// <summary>When others may ask for it back; null while waiting.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }
}

/// <summary>A shared value.</summary>
public sealed record SharedValueView
{
    /// <summary>The key, its alias resolved.</summary>
    public required string Key { get; init; }

    /// <summary>Version; 0 when there is none.</summary>
    public required long Version { get; init; }

    /// <summary>The value; null when there is none.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>Who wrote it; null when there is none.</summary>
    public WriterView? Writer { get; init; }

    /// <summary>When it was written.</summary>
    public DateTimeOffset? WrittenAt { get; init; }

    /// <summary>The latest changes, newest first, at most 32; older ones are in the log.</summary>
    public required IReadOnlyList<ValueChangeView> History { get; init; }
}

/// <summary>One change of a shared value.</summary>
/// <param name="Version">Version.</param>
/// <param name="Value">Value; null when a rollback took the first one back.</param>
/// <param name="Writer">Who wrote it.</param>
/// <param name="At">When.</param>
/// <param name="RestoredFrom">The version whose value a rollback put back; null when it was written.</param>
public sealed record ValueChangeView(long Version, JsonElement? Value, WriterView? Writer, DateTimeOffset At, long? RestoredFrom);

/// <summary>The attempt that wrote a value.</summary>
public sealed record WriterView(string Execution, string Step, int Visit, int Attempt);

/// <summary>An alias of a scope.</summary>
/// <param name="Alias">The alias: one segment with a colon, such as <c>email:ada@x.org</c>.</param>
/// <param name="Scope">The scope it stands for.</param>
public sealed record ScopeAliasView(string Alias, string Scope);
