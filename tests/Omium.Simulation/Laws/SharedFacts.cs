using Omium.Kernel.Executions;

namespace Omium.Simulation.Laws;

/// <summary>What the records of an execution say of what a visit shares.</summary>
internal sealed class SharedFacts
{
    /// <summary>True from the grant until the visit gave its locks up or back.</summary>
    public bool Holds { get; set; }

    /// <summary>Greatest token that was given up or back.</summary>
    public long GivenUpToken { get; set; }

    public IReadOnlyList<LockGrant> Grants { get; set; } = [];

    /// <summary>Values read by the present attempt.</summary>
    public IReadOnlyList<ReadValue> Values { get; set; } = [];

    /// <summary>The attempt whose writes were committed; 0 = none.</summary>
    public int CommittedAttempt { get; set; }

    /// <summary>Keys of the committed writes.</summary>
    public IReadOnlyList<string> Written { get; set; } = [];

    /// <summary>True when a rollback has taken the committed writes back, as far as it could.</summary>
    public bool Restored { get; set; }
}
