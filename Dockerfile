# The photo classifier as a container, as Amazon SageMaker starts one: `serve`, port 8080, the model in /opt/ml/model.
#
#   python -m build --wheel                  # dist/relevance-*.whl, the only thing that is copied in
#   docker build -t relevance-photos .
#   docker run -p 8080:8080 -v "$PWD/build/demo/classifier:/opt/ml/model:ro" relevance-photos serve
#   curl --data-binary @photo.jpg -H 'content-type: image/jpeg' localhost:8080/invocations
#
# The tests run the same command as a process; they do not build this image.
FROM python:3.11-slim
COPY dist/relevance-*.whl /tmp/
RUN pip install --no-cache-dir "$(ls /tmp/relevance-*.whl)[serve]" && rm /tmp/relevance-*.whl
RUN useradd --system photos
USER photos
ENV RELEVANCE_PHOTO_MODEL=/opt/ml/model RELEVANCE_HOST=0.0.0.0
EXPOSE 8080
ENTRYPOINT ["relevance", "photos"]
CMD ["serve"]
