using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using Omium.Cli.Client;
using Omium.Contracts.Reviews;
using Omium.Kernel.Json;

namespace Omium.Cli.Mcp;

/// <summary>A tool as the assistant is told of it, and what it does.</summary>
/// <param name="Description">Name, what it is for, its arguments.</param>
/// <param name="RunAsync">Does it.</param>
internal sealed record McpTool(Tool Description, Func<McpArguments, CancellationToken, Task<JsonElement>> RunAsync);

/// <summary>What an assistant can do. Nothing here decides: the API's <c>decide</c> has no tool.</summary>
/// <param name="client">The API, with the key that the command was given.</param>
internal sealed class McpTools(ApiClient client)
{
    private const string Edits = """
        "prompt": {"type": "string", "description": "The agent's whole prompt as it is to be."},
        "constraints": {"type": "array", "items": {"type": "string"}, "description": "The agent's constraints as they are to be, all of them."},
        "tools": {"type": "array", "items": {"type": "string"}, "description": "The agent's tools as they are to be, all of them."}
        """;

    /// <summary>All of them, in the order in which a failure is mended.</summary>
    public IReadOnlyList<McpTool> All => field ??=
    [
        Reading("list_failures", "Failures, newest first: id, workflow, step, class, status.", """
            "status": {"type": "string", "enum": ["open", "resolved", "ignored"], "description": "Default: open."},
            "workflow": {"type": "string"}, "class": {"type": "string", "description": "Failure class, for example guard_failed."},
            "q": {"type": "string", "description": "Words to find in workflow, step, class, code or message."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 200, "description": "Default: 20."}
            """, [], ListFailuresAsync),
        Reading("get_failure", "One failure whole: what was expected and what came, every guard, the chain of steps that led to it, the root cause, suggested fixes, the agent as it was, the review that waits.", """
            "id": {"type": "string", "description": "Id of a failure."}
            """, ["id"], (given, cancellation) => client.GetAsync($"v1/failures/{Escape(given.Text("id"))}", cancellation)),
        Reading("get_timeline", "What happened in an execution, entry by entry.", """
            "execution": {"type": "string", "description": "Id of an execution."}
            """, ["execution"], (given, cancellation) => client.GetAsync($"v1/executions/{Escape(given.Text("execution"))}/timeline?limit=200", cancellation)),
        Reading("list_reviews", "Questions that wait for a person.", """
            "status": {"type": "string", "enum": ["open", "decided", "expired"], "description": "Default: open."},
            "workflow": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 200, "description": "Default: 20."}
            """, [], ListReviewsAsync),
        Reading("get_review", "One question: what is shown, which edits are allowed, what was proposed, and what a person decided.", """
            "id": {"type": "string", "description": "Id of a review."}
            """, ["id"], (given, cancellation) => client.GetAsync($"v1/reviews/{Escape(given.Text("id"))}", cancellation)),
        new(
            Describe(
                "test_fix", "Runs the failed step beside the execution with an edited agent and says whether its checks pass. Nothing is committed, nothing but the model is reached; it costs the model's tokens.",
                $"\"review\": {{\"type\": \"string\", \"description\": \"Id of the failure's open review.\"}}, {Edits}", ["review"], isReading: false),
            (given, cancellation) => client.PostAsync(
                $"v1/reviews/{Escape(given.Text("review"))}/test", new TestFixRequest(given.Edits()), ClientJson.Default.TestFixRequest, cancellation)),
        new(
            Describe(
                "propose_fix", "Lays an edit before the person who decides the review. It is not applied: only a person can do that. The answer names the command.",
                $"\"review\": {{\"type\": \"string\", \"description\": \"Id of the failure's open review.\"}}, {Edits}, \"note\": {{\"type\": \"string\", \"description\": \"Why, for the person.\"}}",
                ["review"], isReading: false),
            ProposeAsync),
    ];

    private Task<JsonElement> ListFailuresAsync(McpArguments given, CancellationToken cancellation) => client.GetAsync(
        given.Query(Limited("v1/failures", given) + (given.TextOrNull("status") is null ? "&status=open" : ""), "status", "workflow", "class", "q"), cancellation);

    private Task<JsonElement> ListReviewsAsync(McpArguments given, CancellationToken cancellation) => client.GetAsync(
        given.Query(Limited("v1/reviews", given) + (given.TextOrNull("status") is null ? "&status=open" : ""), "status", "workflow"), cancellation);

    private async Task<JsonElement> ProposeAsync(McpArguments given, CancellationToken cancellation)
    {
        var review = given.Text("review");
        var path = $"v1/reviews/{Escape(review)}";
        var edits = given.Edits();
        var digest = (await client.GetAsync(path, cancellation)).GetProperty("digest").GetString()!;
        var proposal = await client.PostAsync(
            $"{path}/proposals", new ProposeFixRequest(edits, digest, given.TextOrNull("note")), ClientJson.Default.ProposeFixRequest, cancellation);
        var id = proposal.GetProperty("id").GetString();
        return JsonMake.Object(
            ("proposal", proposal), ("applied", JsonElement.Parse("false"u8)),
            ("next", JsonMake.Text($"A person decides: in the console on the review's page, or with `omium approve {review} --proposal {id}`.")));
    }

    private static string Limited(string path, McpArguments given) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}?limit={given.Count("limit", 20, 200)}");

    private static McpTool Reading(
        string name, string description, [StringSyntax(StringSyntaxAttribute.Json)] string members, string[] required, Func<McpArguments, CancellationToken, Task<JsonElement>> run) =>
        new(Describe(name, description, members, required, isReading: true), run);

    private static Tool Describe(string name, string description, string members, string[] required, bool isReading) => new()
    {
        Name = name,
        Description = description,
        InputSchema = JsonElement.Parse(
            $"{{\"type\": \"object\", \"properties\": {{{members}}}, \"required\": [{string.Join(", ", required.Select(member => $"\"{member}\""))}], \"additionalProperties\": false}}"),
        Annotations = new ToolAnnotations { ReadOnlyHint = isReading, DestructiveHint = false, OpenWorldHint = !isReading },
    };

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
