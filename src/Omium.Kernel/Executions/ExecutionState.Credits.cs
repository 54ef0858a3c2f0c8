namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>What is reserved and used; null where nothing is metered.</summary>
    public CreditUse? Credits { get; init; }

    /// <summary>The API key that started it.</summary>
    public string StartedBy { get; init; } = "";
}

/// <summary>
/// Credits of an execution. What it may begin is covered by its lease: a step reserves the price of its checkpoint when it is scheduled, and uses it
/// when it commits.
/// </summary>
/// <param name="CheckpointMicro">Price of a committed checkpoint.</param>
/// <param name="ItemMicro">Price of a committed item.</param>
public sealed record CreditUse(long CheckpointMicro, long ItemMicro)
{
    /// <summary>Number of the reservation it draws on; 0 = none.</summary>
    public long Token { get; init; }

    /// <summary>What that holds in all, what was used of it included.</summary>
    public long GrantedMicro { get; init; }

    /// <summary>Used of it. With no reservation: used without one, to be charged to the next.</summary>
    public long SpentMicro { get; init; }

    /// <summary>Used since the execution began.</summary>
    public long TotalMicro { get; init; }

    /// <summary>The last round that was granted, or ended with the execution before it was.</summary>
    public int Round { get; init; }

    /// <summary>What it has asked for and waits for; null when for nothing.</summary>
    public LeaseRequested? Requested { get; init; }

    /// <summary>Why that could not be reserved when it was asked for; null while the answer is on its way.</summary>
    public string? RefusedCode { get; init; }

    /// <summary>True when credits have to come before it goes on; what is merely asked for is answered in a moment.</summary>
    public bool IsShort => Requested is { } requested && (RefusedCode is not null || requested.Effect is not null);

    /// <summary>The last reservation that has ended; 0 before.</summary>
    public long ClosedToken { get; init; }

    /// <summary>Used of that.</summary>
    public long ClosedSpentMicro { get; init; }

    /// <summary>The reservation ends: what was not used of it is handed back.</summary>
    internal CreditUse Closed() => Token == 0 ? this : this with { Token = 0, GrantedMicro = 0, SpentMicro = 0, ClosedToken = Token, ClosedSpentMicro = SpentMicro };
}
