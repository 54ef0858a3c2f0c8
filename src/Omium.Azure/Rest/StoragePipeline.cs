using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Omium.Runtime.Ports;

namespace Omium.Azure.Rest;

/// <summary>
/// Sends requests of one storage service through Azure.Core: retries with growing delays (throttling and lost connections among them),
/// a time-out per try, diagnostics, and a key or token. What is still unanswered after the last try is the port's error, never a guess.
/// </summary>
internal sealed class StoragePipeline
{
    /// <summary>Scope of tokens for the storage services.</summary>
    public const string TokenScope = "https://storage.azure.com/.default";

    private readonly HttpPipeline _pipeline;
    private readonly string _version;

    private StoragePipeline(HttpPipeline pipeline, string version) => (_pipeline, _version) = (pipeline, version);

    /// <summary>The Table service of an account.</summary>
    public static StoragePipeline ForTables(StorageAccount account, AzureStoreOptions options) =>
        Build(account, options, isTables: true, "2019-02-02");

    /// <summary>The Blob service of an account.</summary>
    public static StoragePipeline ForBlobs(StorageAccount account, AzureStoreOptions options) =>
        Build(account, options, isTables: false, "2021-12-02");

    /// <summary>A new message with the headers that every request of the service bears.</summary>
    public HttpMessage Message(RequestMethod method, Uri address)
    {
        var message = _pipeline.CreateMessage();
        message.Request.Method = method;
        message.Request.Uri.Reset(address);
        message.Request.Headers.SetValue("x-ms-version", _version);
        return message;
    }

    /// <summary>
    /// Sends; answers when the status is one of <paramref name="expected"/>. Dispose the message after the answer is read.
    /// </summary>
    /// <exception cref="StorageUnavailableException">No usable answer after the last try. Whether the request took effect is not known.</exception>
    public async Task<StorageAnswer> SendAsync(HttpMessage message, string doing, CancellationToken cancellation, params int[] expected)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            await _pipeline.SendAsync(message, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested && error is RequestFailedException or AggregateException or IOException or OperationCanceledException or HttpRequestException)
        {
            throw new StorageUnavailableException(
                StorageUnavailableException.Failed,
                $"OM5004 storage_failed: Azure Storage could not be reached while {doing} ({First(error)}). What was acknowledged before is kept; the operation may be repeated.",
                error);
        }

        var response = message.Response;
        return expected.Contains(response.Status)
            ? new StorageAnswer(response.Status, response, WasRepeated(message))
            : throw Failure(response.Status, CodeOf(response), doing);
    }

    /// <summary>What a refusal means to the ports.</summary>
    public static Exception Failure(int status, string code, string doing) => (status, code) switch
    {
        (507, _) or (_, "AccountLimitExceeded" or "InsufficientStorage") => new StorageUnavailableException(
            StorageUnavailableException.Full,
            $"OM5003 storage_full: the storage account takes no more while {doing} ({status} {code}). Nothing of it was stored."),
        // A request that cannot be understood is a bug of this program, and is to look like one.
        (400 or 405 or 411 or 413 or 415, not ("TableBeingDeleted" or "ContainerBeingDeleted")) =>
            new InvalidOperationException($"Azure Storage refused what Omium asked while {doing}: {status} {code}."),
        _ => new StorageUnavailableException(
            StorageUnavailableException.Failed,
            $"OM5004 storage_failed: Azure Storage answered {status} {code} while {doing}. {Advice(status)}"),
    };

    /// <summary>The service's own code of a refusal, from its header or its body.</summary>
    public static string CodeOf(Response response)
    {
        if (response.Headers.TryGetValue("x-ms-error-code", out var code))
        {
            return code;
        }

        try
        {
            using var document = JsonDocument.Parse(response.Content);
            return document.RootElement.GetProperty("odata.error").GetProperty("code").GetString() ?? "";
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }
    }

    private static string Advice(int status) => status is 401 or 403
        ? "The identity needs the roles Storage Table Data Contributor and Storage Blob Data Contributor, or the key is not the account's."
        : "What was acknowledged before is kept; the operation may be repeated.";

    /// <summary>True when an earlier try may have taken effect without its answer arriving.</summary>
    private static bool WasRepeated(HttpMessage message) => message.ProcessingContext.RetryNumber > 0;

    private static string First(Exception error) =>
        error is AggregateException { InnerExceptions: [.., var last] } ? last.Message : error.Message;

    private static StoragePipeline Build(StorageAccount account, AzureStoreOptions options, bool isTables, string version)
    {
        var clientOptions = new StorageClientOptions { Transport = options.Transport ?? HttpClientTransport.Shared };
        clientOptions.Retry.Mode = RetryMode.Exponential;
        clientOptions.Retry.MaxRetries = options.RetriesMax;
        clientOptions.Retry.Delay = options.RetryDelay;
        clientOptions.Retry.MaxDelay = options.RetryDelayMax;
        clientOptions.Retry.NetworkTimeout = options.TryTimeout;
        clientOptions.Diagnostics.ApplicationId = "omium";
        HttpPipelinePolicy authentication = account.Credential is { } credential
            ? new BearerTokenAuthenticationPolicy(credential, TokenScope)
            : new SharedKeyPolicy(account.Name, account.Key!, isTables);
        // Signed per try: the signature holds the time.
        return new StoragePipeline(HttpPipelineBuilder.Build(clientOptions, [], [authentication], new StatusCodeClassifier([200, 201, 202, 204, 404, 409, 412])), version);
    }

    private sealed class StorageClientOptions : ClientOptions;
}

/// <summary>An answer as expected.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Response">The whole response.</param>
/// <param name="WasRepeated">True when the request was sent more than once: an earlier try may have taken effect.</param>
internal readonly record struct StorageAnswer(int Status, Response Response, bool WasRepeated)
{
    /// <summary>The ETag header; "" when there is none.</summary>
    public string ETag => Response.Headers.TryGetValue("ETag", out var tag) ? tag : "";

    /// <summary>A header; null when there is none.</summary>
    public string? Header(string name) => Response.Headers.TryGetValue(name, out var value) ? value : null;

    public override string ToString() => Status.ToString(CultureInfo.InvariantCulture);
}
