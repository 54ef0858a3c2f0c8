using Omium.Kernel.Ledger;

namespace Omium.Runtime.Billing;

/// <summary>The plans on offer: what docs/reference/pricing.md says, as data.</summary>
public static class Plans
{
    /// <summary>Nothing granted: every checkpoint is paid from the balance. One seat.</summary>
    public static readonly PlanTerms PayAsYouGo = new("pay_as_you_go", 0, 1);

    /// <summary>50,000 checkpoints a month, one seat.</summary>
    public static readonly PlanTerms Starter = new("starter", 50_000 * Credits.CheckpointMicro, 1);

    /// <summary>500,000 checkpoints a month, five seats.</summary>
    public static readonly PlanTerms Professional = new("professional", 500_000 * Credits.CheckpointMicro, 5);

    /// <summary>Checkpoints and seats without limit.</summary>
    public static readonly PlanTerms Enterprise = new("enterprise", null, 0);

    /// <summary>An installation of one's own: counted like any other, never refused.</summary>
    public static readonly PlanTerms Sandbox = new("sandbox", null, 0);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlanTerms> All { get; } = [PayAsYouGo, Starter, Professional, Enterprise, Sandbox];

    /// <summary>The plan of a name, or null.</summary>
    public static PlanTerms? Find(string name) => All.FirstOrDefault(plan => plan.Name == name);
}
