using System.Text.Json;
using Omium.Kernel.Specs.Checking;
using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs;

/// <summary>
/// The static checks of a workflow: what can be known to be wrong before anything runs. All problems are reported at once.
/// Guarantees: deterministic, never throws, work is bounded by <see cref="SpecLimits"/> (about linear in steps and edges).
/// Places that <see cref="SpecReader"/> could not read (empty ids and expressions) are passed over: they are reported there.
/// </summary>
public static class SpecChecker
{
    /// <summary>Checks a workflow. Pointers lead into the document that <see cref="SpecReader"/> read.</summary>
    public static IReadOnlyList<SpecFinding> Check(WorkflowSpec spec)
    {
        var findings = new FindingList();
        Check(spec, findings);
        return findings.Ordered();
    }

    /// <summary>Reads and checks: the findings of both, in one order.</summary>
    public static SpecReading ReadAndCheck(JsonElement source)
    {
        var findings = new FindingList();
        var spec = SpecReader.Read(source, findings);
        if (spec is not null)
        {
            Check(spec, findings);
        }

        return new SpecReading(spec, findings.Ordered());
    }

    /// <summary>Checks a policy that stands alone, say a tenant's. Checkpoints and agents that it names cannot be known then.</summary>
    public static IReadOnlyList<SpecFinding> CheckPolicy(RecoveryPolicy policy)
    {
        var findings = new FindingList();
        RecoveryChecks.Check(policy, "", null, findings);
        return findings.Ordered();
    }

    private static void Check(WorkflowSpec spec, FindingList findings)
    {
        if (!BoundsChecks.CheckSizes(spec, findings))
        {
            return;
        }

        var context = new CheckContext(spec, findings);
        NameChecks.Check(context);
        ReferenceChecks.Check(context);
        GraphChecks.Check(context);
        BoundsChecks.Check(context);
        EffectChecks.Check(context);
        AgreementChecks.Check(context);
        SchemaChecks.Check(context);
        InputChecks.Check(context);
        SharedChecks.Check(context);
        ExpressionChecks.Check(context);
        if (spec.Recovery is { } policy)
        {
            RecoveryChecks.Check(policy, "/recovery", context, findings);
        }
    }
}
