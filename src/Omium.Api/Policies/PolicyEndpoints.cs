using System.Globalization;
using System.Text.Json;
using Omium.Api.Http;
using Omium.Api.Workflows;
using Omium.Contracts;
using Omium.Contracts.Policies;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Specs;

namespace Omium.Api.Policies;

/// <summary><c>/v1/policies</c>: the tenant's recovery policy, and trials of one over past failures.</summary>
internal static class PolicyEndpoints
{
    private static readonly JsonLimits Limits = new() { DepthMax = SpecLimits.SourceDepthMax, SizeMax = SpecLimits.SourceBytesMax };

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/policies", GetAsync).As("get_policy", "The tenant's recovery policy.").Answers(ContractJson.Default.PolicyView).Tagged();
        routes.Map("PUT", "/v1/policies", PutAsync).As("put_policy", "The next version of the recovery policy; the newest again is itself.")
            .Reads(RequestJson.Default.PutPolicyRequest).ReadsYaml().Conditional().Answers(ContractJson.Default.PolicyView);
        routes.Map("GET", "/v1/policies/versions", VersionsAsync).As("list_policy_versions", "Versions of the policy, oldest first.").Paged()
            .Answers(ContractJson.Default.PolicyPage);
        routes.Map("GET", "/v1/policies/versions/{version}", GetVersionAsync).As("get_policy_version", "One version; it never changes.")
            .Answers(ContractJson.Default.PolicyView).Refuses("not_found");
        routes.Map("POST", "/v1/policies/dry-run", DryRunAsync).As("dry_run_policy", "What a policy would have done about past failures. Nothing is changed.")
            .Reads(RequestJson.Default.DryRunRequest).Answers(ContractJson.Default.DryRunView).Refuses("invalid_yaml");
    }

    private static async Task GetAsync(ApiCall call)
    {
        var (policy, tag) = await call.Services.Policies.HeadAsync(call.Caller.Tenant, call.Cancellation);
        if (tag.Length == 0 || !ETags.TryNotModified(call, tag))
        {
            await AnswerAsync(call, policy, tag);
        }
    }

    /// <summary>With <c>If-Match</c> only when that is still the newest version (<c>*</c>: whatever is), with <c>If-None-Match: *</c> only the first.</summary>
    private static async Task PutAsync(ApiCall call)
    {
        if (await TrySourceAsync(call) is not { } source || (source.Policy is { } given && await TryPolicyAsync(call, given, "") is null))
        {
            return;
        }

        var warnings = source.Policy is { } checkedPolicy ? Findings(checkedPolicy).Select(WorkflowViews.Problem).ToArray() : [];
        var digest = source.Policy is { } policy ? CanonicalJson.Digest(policy) : "none";
        var stored = new StoredPolicy(0, source.Policy, digest, 0, call.Caller.KeyId, warnings);
        if (await call.Services.Policies.PutAsync(call.Caller.Tenant, stored, ExpectedTag(call), call.Cancellation) is { } put)
        {
            await AnswerAsync(call, put.Policy, put.ETag);
            return;
        }

        await call.ProblemAsync("precondition_failed", "The policy has changed since it was read.");
    }

    private static string? ExpectedTag(ApiCall call) => call.Request.Headers.IfMatch.ToString() switch
    {
        { Length: > 0 } tag when tag != "*" => tag.Trim().Trim('"'),
        _ => call.Request.Headers.IfNoneMatch.ToString() == "*" ? "" : null,
    };

    private static async Task VersionsAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || await call.TryIntegerAsync("cursor", 0, 0, int.MaxValue) is not { } after)
        {
            return;
        }

        var found = await call.Services.Policies.VersionsAsync(call.Caller.Tenant, (int)after, (int)limit + 1, call.Cancellation);
        var page = found.Take((int)limit).Select(View).ToArray();
        await call.JsonAsync(new Page<PolicyView>(page, found.Count > limit ? page[^1].Version.ToString(CultureInfo.InvariantCulture) : null), ContractJson.Default.PolicyPage);
    }

    private static async Task GetVersionAsync(ApiCall call)
    {
        if (int.TryParse(call.Route("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            && await call.Services.Policies.FindAsync(call.Caller.Tenant, version, call.Cancellation) is { } policy)
        {
            await call.JsonAsync(View(policy), ContractJson.Default.PolicyView);
            return;
        }

        await call.ProblemAsync("not_found", $"The policy has no version {ApiCall.Shorten(call.Route("version"))}.");
    }

    private static async Task DryRunAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.DryRunRequest) is not { } request)
        {
            return;
        }

        if (request.Limit is < 1 or > 200)
        {
            await call.InvalidAsync("/limit", "'limit' is an integer from 1 to 200.");
            return;
        }

        if (await TryCanonicalAsync(call, request.Policy) is { } source && await TryPolicyAsync(call, source, "/policy") is { } policy)
        {
            await call.JsonAsync(await new PolicyDryRun(call.Services, call.Caller.Tenant, policy).RunAsync(request, call.Cancellation), ContractJson.Default.DryRunView);
        }
    }

    /// <summary>The policy of the body; null inside = the built-in one. Null when it was answered.</summary>
    private static async ValueTask<(JsonElement? Policy, bool IsRead)?> TrySourceAsync(ApiCall call)
    {
        if (ApiCall.IsJson(call.Request.ContentType))
        {
            if (await call.TryReadAsync(RequestJson.Default.PutPolicyRequest) is not { } request)
            {
                return null;
            }

            if (request.Policy is not { ValueKind: not JsonValueKind.Null } given)
            {
                return (null, true);
            }

            return await TryCanonicalAsync(call, given) is { } policy ? (policy, true) : null;
        }

        return await WorkflowEndpoints.TryYamlAsync(call) is { } yaml ? (yaml, true) : null;
    }

    private static async ValueTask<JsonElement?> TryCanonicalAsync(ApiCall call, JsonElement given)
    {
        if (given.ValueKind == JsonValueKind.String)
        {
            if (SpecText.TryRead(given.GetString()!, out var read, out var wrong))
            {
                return read;
            }

            await call.ProblemAsync("invalid_yaml", $"Line {wrong!.Line}, column {wrong.Column}: {wrong.Message}");
            return null;
        }

        if (CanonicalJson.TryNormalize(given, out var policy, out var problem, Limits))
        {
            return policy;
        }

        await call.InvalidAsync("/policy", $"{problem!.Message} (at byte {problem.Offset} of the policy)", problem.Code);
        return null;
    }

    private static IReadOnlyList<SpecFinding> Findings(JsonElement source)
    {
        var (policy, findings) = RecoveryPolicyReader.Read(source);
        return policy is null ? findings : [.. findings, .. SpecChecker.CheckPolicy(policy)];
    }

    private static async ValueTask<RecoveryPolicy?> TryPolicyAsync(ApiCall call, JsonElement source, string pointer)
    {
        var findings = Findings(source);
        if (findings.All(finding => finding.Severity != SpecSeverity.Error) && RecoveryPolicyReader.Read(source).Policy is { } policy)
        {
            return policy;
        }

        var errors = findings.Count(finding => finding.Severity == SpecSeverity.Error);
        await call.ProblemAsync(
            "validation_failed", errors == 1 ? "The policy has an error." : $"The policy has {errors} errors.",
            [.. findings.Select(WorkflowViews.Problem).Select(problem => problem with { Pointer = pointer + problem.Pointer })]);
        return null;
    }

    private static Task AnswerAsync(ApiCall call, StoredPolicy policy, string tag)
    {
        if (tag.Length > 0)
        {
            call.Context.Response.Headers.ETag = $"\"{tag}\"";
        }

        return call.JsonAsync(View(policy), ContractJson.Default.PolicyView);
    }

    private static PolicyView View(StoredPolicy policy) => new(
        policy.Version, policy.Policy, policy.Policy is null ? null : policy.Digest, policy.Version == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(policy.AtMs),
        policy.Version == 0 ? null : policy.By, policy.Warnings);
}
