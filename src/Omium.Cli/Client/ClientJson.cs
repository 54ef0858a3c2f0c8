using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Contracts.Access;
using Omium.Contracts.Billing;
using Omium.Contracts.Executions;
using Omium.Contracts.Policies;
using Omium.Contracts.Reviews;
using Omium.Contracts.Tenants;
using Omium.Contracts.Workflows;

namespace Omium.Cli.Client;

/// <summary>The wire records that the commands read and write.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StartExecutionRequest))]
[JsonSerializable(typeof(ExecutionView))]
[JsonSerializable(typeof(List<ExecutionSummary>))]
[JsonSerializable(typeof(List<TimelineEntry>))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(RollbackView))]
[JsonSerializable(typeof(RetryRequest))]
[JsonSerializable(typeof(VerifyView))]
[JsonSerializable(typeof(ReviewView))]
[JsonSerializable(typeof(List<ReviewView>))]
[JsonSerializable(typeof(DecideReviewRequest))]
[JsonSerializable(typeof(AgentEdits))]
[JsonSerializable(typeof(ForkRequest))]
[JsonSerializable(typeof(ForkEditsRequest))]
[JsonSerializable(typeof(ResolveResidueRequest))]
[JsonSerializable(typeof(CreateKeyRequest))]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(ChangeMemberRequest))]
[JsonSerializable(typeof(TopUpRequest))]
[JsonSerializable(typeof(PutPolicyRequest))]
[JsonSerializable(typeof(DryRunRequest))]
[JsonSerializable(typeof(TestFixRequest))]
[JsonSerializable(typeof(ProposeFixRequest))]
[JsonSerializable(typeof(SaveWorkflowRequest))]
[JsonSerializable(typeof(WorkflowView))]
[JsonSerializable(typeof(List<WorkflowSummary>))]
[JsonSerializable(typeof(ValidateView))]
[JsonSerializable(typeof(SuggestView))]
[JsonSerializable(typeof(List<SpecProblem>))]
internal sealed partial class ClientJson : JsonSerializerContext
{
    /// <summary>For people and programs alike: indented, with text as it is written.</summary>
    public static string Print(JsonElement value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            value.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
