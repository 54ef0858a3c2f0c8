namespace Omium.Api.Access;

/// <summary>What a caller may do. A role is a set of scopes; a key carries its own set.</summary>
[Flags]
internal enum Scopes
{
    /// <summary>Nothing but to be who it is: sign out, ask who it is.</summary>
    None = 0,

    /// <summary>See workflows, executions, reviews and failures.</summary>
    Read = 1,

    /// <summary>Start executions and steer them: pause, resume, cancel, retry, roll back.</summary>
    Run = 2,

    /// <summary>Do the work of worker steps: poll, heartbeat, complete, fail.</summary>
    Work = 4,

    /// <summary>Save workflows, policies and scope aliases.</summary>
    Write = 8,

    /// <summary>Test fixes and propose them to whoever decides.</summary>
    Propose = 64,

    /// <summary>Decide reviews, resolve residue, ignore failures. Whoever may decide may propose, too.</summary>
    Decide = 16,

    /// <summary>Members, keys, secrets, audit, retention, single sign-on, billing.</summary>
    Admin = 32,

    /// <summary>Everything.</summary>
    All = Read | Run | Work | Write | Propose | Decide | Admin,
}

/// <summary>The words for scopes, in requests, answers and the table of docs/reference/access.md.</summary>
internal static class ScopeWords
{
    /// <summary>Every scope with its word, in the order of the enumeration.</summary>
    public static readonly (string Word, Scopes Scope)[] All =
    [
        ("read", Scopes.Read), ("run", Scopes.Run), ("work", Scopes.Work), ("write", Scopes.Write), ("propose", Scopes.Propose), ("decide", Scopes.Decide), ("admin", Scopes.Admin),
    ];

    /// <summary>The words of a set.</summary>
    public static IReadOnlyList<string> Of(Scopes scopes) => [.. All.Where(known => scopes.HasFlag(known.Scope)).Select(known => known.Word)];

    /// <summary>The set of some words; null when one is no scope or there is none.</summary>
    public static Scopes? Parse(IReadOnlyList<string> words)
    {
        var scopes = Scopes.None;
        foreach (var word in words)
        {
            var known = Array.Find(All, known => known.Word == word);
            if (known.Word is null)
            {
                return null;
            }

            scopes |= known.Scope;
        }

        return scopes == Scopes.None ? null : scopes.HasFlag(Scopes.Decide) ? scopes | Scopes.Propose : scopes;
    }
}

/// <summary>The roles of members. Operating and approving are apart, so that nobody but an administrator can let their own work pass.</summary>
internal static class Roles
{
    public const string Viewer = "viewer", Operator = "operator", Approver = "approver", Admin = "admin";

    /// <summary>What each role may do.</summary>
    public static readonly (string Role, Scopes Scopes)[] All =
    [
        (Viewer, Scopes.Read),
        (Operator, Scopes.Read | Scopes.Run | Scopes.Work | Scopes.Write | Scopes.Propose),
        (Approver, Scopes.Read | Scopes.Propose | Scopes.Decide),
        (Admin, Scopes.All),
    ];

    /// <summary>The scopes of a role; none for a word that is no role.</summary>
    public static Scopes ScopesOf(string role) => Array.Find(All, known => known.Role == role).Scopes;

    public static bool IsRole(string word) => Array.Exists(All, known => known.Role == word);
}
