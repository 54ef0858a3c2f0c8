using System.Collections.Immutable;
using System.Globalization;

namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>Traced: the committed visits that no committed one follows. What begins next comes after them.</summary>
    public ImmutableList<VisitKey> Frontier { get; init; } = [];

    /// <summary>How often steps were taken back: a program that began before the last time holds values that do not stand any more.</summary>
    public int Epoch { get; init; }

    /// <summary>Traced: who undoes the next of a rollback; null when nobody does.</summary>
    public TracedUndo? Undoing { get; init; }
}

public sealed partial record VisitState
{
    /// <summary>Traced: what the step is and who runs it; null for a step of a workflow.</summary>
    public TracedUse? Traced { get; init; }
}

public sealed partial record CallState
{
    /// <summary>True for a transaction of a traced execution: the caller's code makes the call, verifies and undoes it.</summary>
    public bool IsTraced => Tool.StartsWith(Specs.WorkflowPlan.TracedPrefix, StringComparison.Ordinal);
}

/// <summary>A step of a traced execution.</summary>
/// <param name="Declared">What it is.</param>
/// <param name="Run">Number of its newest lease.</param>
/// <param name="Attempt">The attempt that this lease is of.</param>
/// <param name="Owner">The process that holds it; null when none does.</param>
/// <param name="LeaseUntilMs">When it is over, Unix ms.</param>
public sealed record TracedUse(TracedDeclaration Declared, int Run, int Attempt, string? Owner, long LeaseUntilMs)
{
    /// <summary>When it failed for good: how many visits there were. What came later is how the program went on.</summary>
    public int EndedOrdinal { get; init; }

    /// <summary>It failed for good, the execution ended as failed, and its program was started again: it may run anew.</summary>
    public bool MayRetry { get; init; }
}

/// <summary>Who undoes an effect, and until when nobody else may, Unix ms.</summary>
public sealed record TracedUndo(string Effect, int Attempt, string Owner, long LeaseUntilMs);

/// <summary>The name of a lease: <c>step~visit~attempt~run</c>. Whoever holds it may say what became of the step.</summary>
public readonly record struct TracedLease(VisitKey Visit, int Attempt, int Run)
{
    /// <summary>Reads a name; false when it is none.</summary>
    public static bool TryParse(string text, out TracedLease lease)
    {
        lease = default;
        var parts = text.Split('~');
        if (parts.Length != 4 || !TryNumber(parts[1], out var visit) || !TryNumber(parts[2], out var attempt) || !TryNumber(parts[3], out var run))
        {
            return false;
        }

        lease = new TracedLease(new VisitKey(parts[0], visit), attempt, run);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Visit}~{Attempt}~{Run}");

    private static bool TryNumber(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;
}

/// <summary>What hosts ask of the state of a traced execution.</summary>
public static class TracedState
{
    /// <summary>The transaction that a rollback undoes next; null when none is under way, or when it must first be found out whether it happened.</summary>
    public static CallState? NextUndo(ExecutionState state) => Decision.NextUndo(state);
}
