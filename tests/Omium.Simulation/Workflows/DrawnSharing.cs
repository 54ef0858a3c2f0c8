namespace Omium.Simulation.Workflows;

/// <summary>What a step shares with other executions, as drawn: scopes it locks, a value it reads, values it writes.</summary>
/// <param name="Locks">Scopes as written; some by an alias.</param>
/// <param name="ShortLease">True: whoever waits may have the locks back after a second.</param>
/// <param name="Read">The value it reads, as written; null = none.</param>
/// <param name="Counts">True: it writes the value that it reads, one higher.</param>
/// <param name="Notes">Values that it writes without a look at them.</param>
internal sealed record DrawnSharing(IReadOnlyList<string> Locks, bool ShortLease, string? Read, bool Counts, IReadOnlyList<string> Notes)
{
    /// <summary>Names under which scopes are known; two of them are the same.</summary>
    public static readonly IReadOnlyList<string> Scopes = ["customer/1", "customer/1/mail", "customer/1/phone", "customer/2", "order/9", "mail:ada"];

    /// <summary>The alias among them, and what it stands for.</summary>
    public static readonly (string Alias, string Scope) Alias = ("mail:ada", "customer/1");

    /// <summary>A name with its alias resolved.</summary>
    public static string Resolved(string name) =>
        name.StartsWith(Alias.Alias, StringComparison.Ordinal) ? Alias.Scope + name[Alias.Alias.Length..] : name;

    /// <summary>True when one of two scopes is the other or lies above it.</summary>
    public static bool Conflict(string one, string other) => one == other || one.StartsWith(other + "/", StringComparison.Ordinal) || other.StartsWith(one + "/", StringComparison.Ordinal);

    /// <summary>True when a scope is another or lies above it.</summary>
    public static bool Covers(string above, string below) => above == below || below.StartsWith(above + "/", StringComparison.Ordinal);

    /// <summary>The scope of a value's key.</summary>
    public static string ScopeOf(string key) => key[..key.IndexOf('#', StringComparison.Ordinal)];

    /// <summary>True when it waits for locks or reads before its work.</summary>
    public bool Gathers => Locks.Count > 0 || Read is not null;

    public bool Writes => Counts || Notes.Count > 0;

    public string Json
    {
        get
        {
            var parts = new List<string>();
            if (Locks.Count > 0)
            {
                parts.Add($"\"locks\": [{string.Join(", ", Locks.Select(scope => $"\"{scope}\""))}]");
                parts.Add(ShortLease ? "\"lock_lease\": \"1s\"" : "\"lock_lease\": \"10m\"");
            }

            if (Read is not null)
            {
                parts.Add($"\"reads\": {{\"seen\": \"{Read}\"}}");
            }

            var writes = Notes.Select(key => $"{{\"key\": \"{key}\", \"value\": \"execution.id\"}}").ToList();
            if (Counts)
            {
                writes.Add($"{{\"key\": \"{Read}\", \"value\": \"state.seen == null ? 1 : int(state.seen) + 1\"}}");
            }

            parts.AddRange(writes.Count > 0 ? [$"\"writes\": [{string.Join(", ", writes)}]"] : []);
            return string.Join(", ", parts);
        }
    }
}
