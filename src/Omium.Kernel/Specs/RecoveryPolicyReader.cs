using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs;

/// <summary>
/// Reads a recovery policy (docs/reference/workflow-spec.md, "Recovery"), of a workflow or of a tenant: the short form (<c>rollback_triggers</c>,
/// <c>recovery_actions</c>, <c>retry_policy</c>) or the full form (<c>rules</c>). Strict and deterministic; never throws.
/// </summary>
public static class RecoveryPolicyReader
{
    private const string DetectedSuffix = "_detected";

    private static readonly string[] ShortFormOnly = ["rollback_triggers", "recovery_actions"];

    /// <summary>Reads a policy that stands alone: pointers start at its root. The policy is null only when the source is no object.</summary>
    public static (RecoveryPolicy? Policy, IReadOnlyList<SpecFinding> Findings) Read(JsonElement source)
    {
        var findings = new FindingList();
        var policy = Read(source, "", findings);
        return (policy, findings.Ordered());
    }

    internal static RecoveryPolicy? Read(JsonElement source, string pointer, FindingList findings)
    {
        if (ObjectReader.Open(source, pointer, "a recovery policy", findings) is not { } reader)
        {
            return null;
        }

        var edits = new EditLists(findings);
        edits.ReadMembers(reader);
        var triggers = ReadTriggers(reader);
        var actions = ReadActions(reader, edits);
        var rules = ReadRules(reader);
        var retry = ReadRetry(reader);
        reader.Close();
        foreach (var name in ShortFormOnly.Where(name => reader.Has("rules") && reader.Has(name)))
        {
            findings.Error(
                SpecCodes.MixedPolicyForms, reader.At(name), $"\"{name}\" belongs to the short form, \"rules\" to the full form.", "Write the policy in one form.");
        }

        var (allowed, forbidden) = edits.Settle();
        return new RecoveryPolicy
        {
            Triggers = triggers,
            Actions = actions,
            AllowedEdits = allowed,
            ForbiddenEdits = forbidden,
            Retry = retry,
            Rules = rules,
        };
    }

    private static List<string> ReadTriggers(ObjectReader policy)
    {
        var classes = new List<string>();
        foreach (var entry in PolicyEntry.ReadAll(policy, "rollback_triggers", keepsOrder: false))
        {
            var isOn = entry.Flag(policy.Findings);
            if (ClassOfTrigger(entry.Name) is { } failureClass)
            {
                if (isOn && !classes.Contains(failureClass))
                {
                    classes.Add(failureClass);
                }

                continue;
            }

            var words = FailureClasses.Groups.Keys.Append(FailureClasses.Hallucination + DetectedSuffix).ToList();
            policy.Findings.Error(
                SpecCodes.UnknownTrigger,
                entry.Pointer,
                $"\"{ObjectReader.Shorten(entry.Name)}\" is no failure class.",
                policy.Findings.Mend(entry.Name, words, "Name a failure class, for example hallucination_detected, policy_violation or high_value_operation."));
        }

        return classes;
    }

    /// <summary>A class by its name, or by its name with "_detected".</summary>
    private static string? ClassOfTrigger(string trigger)
    {
        var bare = trigger.EndsWith(DetectedSuffix, StringComparison.Ordinal) ? trigger[..^DetectedSuffix.Length] : trigger;
        return FailureClasses.Groups.ContainsKey(trigger) ? trigger : FailureClasses.Groups.ContainsKey(bare) ? bare : null;
    }

    private static List<RecoveryAction> ReadActions(ObjectReader policy, EditLists edits)
    {
        var actions = new List<RecoveryAction>();
        foreach (var entry in PolicyEntry.ReadAll(policy, "recovery_actions", keepsOrder: true))
        {
            if (!edits.TryRead(entry))
            {
                actions.AddRange(ActionReader.Read(entry, policy.Findings));
            }
        }

        return actions;
    }

    private static List<RecoveryRule> ReadRules(ObjectReader policy)
    {
        var rules = new List<RecoveryRule>();
        foreach (var (item, pointer) in policy.Items("rules"))
        {
            if (ObjectReader.Open(item, pointer, "a rule", policy.Findings) is not { } reader)
            {
                rules.Add(new RecoveryRule([], null, [], null));
                continue;
            }

            var on = reader.Texts("on");
            var when = reader.Text("when");
            reader.RequireMember("do");
            var actions = PolicyEntry.ReadAll(reader, "do", keepsOrder: true).SelectMany(entry => ActionReader.Read(entry, reader.Findings)).ToList();
            rules.Add(new RecoveryRule(on, when, actions, reader.Integer("limit")));
            reader.Close();
        }

        return rules;
    }

    private static PolicyRetry? ReadRetry(ObjectReader policy)
    {
        if (policy.Object("retry_policy", "a retry policy") is not { } reader)
        {
            return null;
        }

        reader.RequireMember("max_retries");
        var retry = new PolicyRetry(reader.Integer("max_retries") ?? 0, RetryReader.ReadBackoffText(reader), RetryReader.ReadCondition(reader));
        reader.Close();
        return retry;
    }
}
