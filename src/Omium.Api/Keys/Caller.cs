using Omium.Api.Access;
using Omium.Api.Sessions;

namespace Omium.Api.Keys;

/// <summary>Who asks: a key or a person, in a tenant, and what they may do there.</summary>
/// <param name="Tenant">Tenant.</param>
/// <param name="KeyId">Who, as logs and the audit trail name them: <c>key_...</c> or <c>usr_...</c>.</param>
/// <param name="Environment">Tag of the key; "" for a person.</param>
internal sealed record Caller(string Tenant, string KeyId, string Environment)
{
    /// <summary>Nobody in particular: routes that need no key.</summary>
    public static readonly Caller Nobody = new("", "", "");

    /// <summary>What they may do.</summary>
    public Scopes Scopes { get; init; }

    /// <summary>Most credits that a key may use in a calendar month; null = no limit of its own.</summary>
    public long? SpendCapCredits { get; init; }

    /// <summary>A person's role; null for a key.</summary>
    public string? Role { get; init; }

    /// <summary>Names that policies escalate to, beside the role.</summary>
    public IReadOnlyList<string> Teams { get; init; } = [];

    /// <summary>The session of a person who has one here.</summary>
    public StoredSession? Session { get; init; }

    /// <summary>True for a person, false for a key.</summary>
    public bool IsPerson => Role is not null;

    /// <summary>
    /// Why they may not have the secret of such a key, made anew or rotated, nor let a person in by such a role; null when they may. What a key can lay hands on never exceeds it: neither in
    /// scopes nor in environment, except that a key of the machine itself (<c>local</c>) gives keys for any; and one with a spend cap gives none, because each
    /// would spend beside it. People are bound by their scopes alone.
    /// </summary>
    public string? Exceeds(Scopes scopes, string environment)
    {
        if ((scopes & ~Scopes) != Scopes.None)
        {
            return $"It may do '{string.Join(' ', ScopeWords.Of(scopes))}'; the caller may do '{string.Join(' ', ScopeWords.Of(Scopes))}'.";
        }

        if (IsPerson)
        {
            return null;
        }

        return SpendCapCredits is not null ? "The caller has a spend cap, and what it makes would spend beside it."
            : Environment != environment && Environment != LocalEnvironment ? $"The key belongs to the environment '{environment}'; the caller to '{Environment}'."
            : null;
    }

    private const string LocalEnvironment = "local";

    /// <summary>
    /// Whether they may answer what was escalated to a role or team (null: to nobody in particular). An administrator may answer everything.
    /// </summary>
    public bool Answers(string? escalatedTo) => escalatedTo is null || Scopes.HasFlag(Scopes.Admin) || Role == escalatedTo || Teams.Contains(escalatedTo);
}
