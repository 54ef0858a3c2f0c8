namespace Omium.Kernel.Executions;

/// <summary>How far a rollback reaches (<see cref="RollbackPlanned.Scope"/>).</summary>
public static class RollbackScopes
{
    /// <summary>The effects of one item: the execution and the other items go on beside it.</summary>
    public const string Item = "item";

    /// <summary>The effects of a failed attempt, before it is tried again.</summary>
    public const string Attempt = "attempt";
}
